"""The fixtures beside each adapter: messages in `fixtures/cases.yaml`, what comes of them in `fixtures/expected.json`.

`python -m tests.adapters.cases` writes the expected results anew; read the difference before committing it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from adapters import BUILT_IN, load_adapters
from adapters.trial import try_message

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "../shared/samples"
NAMES = tuple(name for name, _ in BUILT_IN)
ADAPTERS = load_adapters()


def folder(name: str) -> Path:
    return ROOT / "adapters" / name / "fixtures"


@cache
def cases(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((folder(name) / "cases.yaml").read_text("utf-8")))


def payload(case: dict[str, Any]) -> bytes:
    if "json" in case:
        return msgspec.json.encode(case["json"])
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    return str(case["text"]).encode()


def outcome(name: str, case: dict[str, Any]) -> dict[str, Any]:
    result = try_message(
        ADAPTERS[name], case["topic"], payload(case), case.get("timezone", "Asia/Shanghai"), case.get("settings")
    )
    return dict(json.loads(json.dumps(result)))


def expected(name: str) -> dict[str, Any]:
    return dict(json.loads((folder(name) / "expected.json").read_text("utf-8")))


def _rewrite() -> None:
    for name in NAMES:
        results = {case["name"]: outcome(name, case) for case in cases(name)}
        text = json.dumps(results, ensure_ascii=False, indent=1)
        (folder(name) / "expected.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    _rewrite()
