"""The rule packs of the page's stand-in."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
OLD = "- disable: [access.tamper]\n"
TEXT = "- disable: [access.tamper]\n- change: meter.overvoltage\n  for: 5m\n"


class RefusedPack(Exception):
    """A pack with a mistake: the problem's body."""

    def __init__(self) -> None:
        self.body = {
            "status": 422, "code": "pack_refused", "detail": "rules refused, 1 problem",
            "errors": [{"file": "rules/site.yaml", "line": 3, "column": 3, "message": "a rule has no word 'fro'",
                        "text": "fro", "suggestion": "did you mean 'for'?"}],
        }  # fmt: skip


def version(pack: str, number: int, text: str, **more: Any) -> Json:
    return {
        "pack": pack, "number": number, "created_at": "2026-11-22T03:04:05.678Z", "author": "user:anna",
        "reason": "night shift asked", "hash": f"{number:064}", "state": "accepted", "rules": 1, "confirmed_by": None,
        "confirmed_at": None, "hidden": [], "problems": [], "text": text, **more,
    }  # fmt: skip


def first() -> dict[str, list[Json]]:
    """Each pack's versions, the oldest first."""
    hidden = [{"alert": "AL-0001", "rule": "elevator.entrapment", "scope": "lift-05", "site": "s",
               "raised_at": "2026-11-22T01:04:05.678Z", "why": "not_raised"}]  # fmt: skip
    return {
        "site": [version("site", 1, OLD), version("site", 2, TEXT)],
        "lifts": [
            version("lifts", 1, OLD),
            version("lifts", 2, TEXT, state="waiting", author="user:bela", hidden=hidden),
        ],
    }


def shown(versions: list[Json]) -> Json:
    current = [one for one in versions if one["state"] == "accepted"][-1]
    waiting = [one for one in versions if one["state"] == "waiting"]
    return {
        "name": current["pack"], "shipped": False, "deleted": False, "version": current["number"], "hash": "x",
        "rules": 1, "author": current["author"], "reason": current["reason"], "created_at": current["created_at"],
        "confirmed_by": None, "written": True, "waiting": waiting[-1] if waiting else None, "refused": None,
        "text": current["text"],
    }  # fmt: skip


def health(packs: dict[str, list[Json]]) -> Json:
    """What the core says of its rules."""
    waiting = sorted(name for name, versions in packs.items() if versions[-1]["state"] == "waiting")
    return {"count": 172, "packs": len(packs), "refused": {}, "waiting": waiting, "unwritten": []}


def asked(packs: dict[str, list[Json]], parts: list[str]) -> Any:
    """What is below `/rules/packs`."""
    if not parts:
        product = {**shown(packs["site"]), "name": "shipped.access", "shipped": True, "version": 0, "author": None}
        return {"items": [*map(shown, packs.values()), product], "next": None}
    if len(parts) == 1:
        return shown(packs[parts[0]])
    if len(parts) == 2:
        return {"items": packs[parts[0]][::-1], "next": None}
    return packs[parts[0]][int(parts[2]) - 1]


def changed(packs: dict[str, list[Json]], parts: list[str], body: Json) -> Json:
    versions = packs[parts[0]]
    if parts[1:] == ["pending", "confirm"]:
        versions[-1]["state"] = "accepted"
    elif parts[1:] == ["restore"]:
        versions.append(version(parts[0], len(versions) + 1, versions[body["number"] - 1]["text"]))
    elif "fro:" in body["text"]:
        raise RefusedPack
    else:
        versions.append(version(parts[0], len(versions) + 1, body["text"], reason=body["reason"]))
    return shown(versions)
