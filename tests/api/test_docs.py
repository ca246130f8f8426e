"""What docs/api.md says is so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.api.auth import role_of
from gateway.api.openapi import every_route
from gateway.api.settings import ApiSettings
from tests.api.core_double import CoreDouble
from tests.api.server import Running

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def rows(app: Any) -> list[str]:
    """A line of the table for each operation, as the code has it."""
    found = []
    for path, route in every_route(app.routes):
        if route.include_in_schema or path == "/api/v1/openapi.json":
            said = (route.endpoint.__doc__ or "").strip().split("\n")[0]
            shown = path.removeprefix("/api/v1")
            found += [f"| {method} | `{shown}` | {role_of(route)} | {said} |" for method in sorted(route.methods or ())]
    return found


def test_every_route_is_documented_with_its_role(app: Any) -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [row for row in rows(app) if row not in text]
    assert not missing, "docs/api.md lacks these lines:\n" + "\n".join(missing)
    known = set(rows(app))
    stale = [line for line in text.splitlines() if re.match(r"\| (GET|POST|PUT|PATCH|DELETE) \|", line)]
    assert not [line for line in stale if line not in known], "docs/api.md tells of routes that are not there"


def test_every_problem_code_of_the_gateway_is_documented() -> None:
    from gateway import errors

    text = DOCS.read_text(encoding="utf-8")
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GatehouseError)
    ]
    reachable = [kind.code for kind in kinds if kind.code not in ("config", "usage", "ignored")]
    missing = [code for code in reachable if f"`{code}`" not in text]
    assert not missing, f"docs/api.md lacks the codes {missing}"


def examples() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_run(settings: ApiSettings, database: str, core: CoreDouble, tmp_path: Path) -> None:
    core._device_rotate(None, "east-cam", _hash("device-secret"))  # type: ignore[arg-type]
    with Running(msgspec.structs.replace(settings, port=0), database, core) as running:
        environment = {
            "PATH": os.environ["PATH"], "TOKEN": "secret-admin", "GATE": f"http://127.0.0.1:{running.port}",
            "DEVICE_SECRET": "device-secret", "HOME": str(tmp_path),
        }  # fmt: skip
        assert len(examples()) >= 6
        for example in examples():
            # --fail: an answer that is a problem makes curl, and so the example, fail.
            script = example.replace("curl ", "curl --silent --show-error --fail-with-body ")
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script], env=environment, cwd=tmp_path, capture_output=True,
                text=True,
                timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"


def _hash(secret: str) -> str:
    from gateway.api.sign_in import hash_device_secret

    return hash_device_secret(secret)
