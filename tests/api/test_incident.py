"""The incident pack, out of the real core, and every way to tamper with it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.main import assemble
from gateway.errors import UsageError
from gateway.store.incident import pack, verify
from tests.support.lab import Lab
from tests.support.lab_door import LabApi


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[LabApi]:
    lab = Lab(tmp_path)
    api = LabApi(lab, tmp_path)
    yield api
    api.close()
    lab.close()


async def incident(api: LabApi) -> bytes:
    """An entrapment with plan and order, somebody who acknowledged it, and something else in between."""
    lab = api.lab
    lab.device("lift", type="elevator", building="b1")
    for _ in range(4):
        lab.say("lift", "elevator.status", motion="stopped", door="closed", in_door_zone=False, occupied=True, floor=7)
        lab.wait(10)
    alert = lab.alert("elevator.entrapment")
    lab.device("other", type="door")
    await api("POST", f"/alerts/{alert.id}/acknowledge", json={"comment": "on my way"})
    answer = await api("GET", f"/alerts/{alert.id}/incident", as_="engineer")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert (await api("GET", f"/alerts/{alert.id}/incident", as_="operator")).status_code == 403
    assert (await api("GET", "/alerts/al-none/incident", as_="engineer")).status_code == 404
    return answer.content


def opened(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def closed(files: dict[str, Any]) -> bytes:
    """Put together again as a forger would who leaves the manifest alone."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, value in files.items():
            archive.writestr(name, json.dumps(value))
    return box.getvalue()


@pytest.mark.anyio
async def test_a_pack_holds_everything_and_is_verified_without_the_gateway(api: LabApi, tmp_path: Path) -> None:
    content = await incident(api)
    files = opened(content)
    assert files["alert.json"]["rule"] == "elevator.entrapment" and files["evidence.json"]
    assert [order["rule"] for order in files["work_orders.json"]] == ["elevator.entrapment"]
    assert files["plan_run.json"]["plan"] == "elevator-entrapment"
    actions = [line["action"] for line in files["timeline.json"]]
    assert {"alert.raise", "work_order.open", "plan.start", "alert.acknowledge"} <= set(actions)
    # What is between, of others, is there as a link alone.
    assert any("action" not in line for line in files["audit.json"])
    assert "other" not in json.dumps(files["audit.json"])
    verdict = verify(content)
    assert verdict.problems == [] and verdict.lines == len(actions) and verdict.links == len(files["audit.json"])
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    result = CliRunner().invoke(assemble(), ["audit", "verify", str(path)])
    assert result.exit_code == 0 and verdict.seal in result.output
    path.write_bytes(closed({**files, "alert.json": {}}))
    assert CliRunner().invoke(assemble(), ["audit", "verify", str(path)]).exit_code == 1


def an_actor(files: dict[str, Any]) -> None:
    next(line for line in files["audit.json"] if "action" in line)["actor"] = "user:nobody"


def a_line(files: dict[str, Any]) -> None:
    del files["audit.json"][1]


def a_link(files: dict[str, Any]) -> None:
    next(line for line in files["audit.json"] if "action" not in line)["hash"] = "0" * 64


@pytest.mark.anyio
@pytest.mark.parametrize("forge", [an_actor, a_line, a_link])
async def test_a_forged_audit_is_found_even_where_the_manifest_was_made_anew(
    api: LabApi, forge: Callable[[dict[str, Any]], None]
) -> None:
    files = opened(await incident(api))
    manifest = files.pop("manifest.json")
    forge(files)
    assert verify(pack(manifest["alert"], files, manifest["made"])).problems


@pytest.mark.anyio
async def test_a_file_that_was_changed_added_or_left_out_is_found(api: LabApi) -> None:
    content = await incident(api)
    files = opened(content)
    assert "alert.json was changed" in verify(closed({**files, "alert.json": {}})).problems
    assert "more.json is not in the manifest" in verify(closed({**files, "more.json": 1})).problems
    assert (
        "children.json is missing" in verify(closed({k: v for k, v in files.items() if k != "children.json"})).problems
    )


@pytest.mark.parametrize("content", [b"", b"PK", closed({"x": 1}), closed({"manifest.json": []})])
def test_what_is_no_pack_is_refused(content: bytes) -> None:
    with pytest.raises(UsageError, match="no incident pack"):
        verify(content)
