"""The incident pack: everything about one alert in one file, which proves itself without the gateway.

A zip of JSON files, a manifest with the SHA-256 of each, and the audit's chain from the first line about the incident
to the last: lines about it whole, those between as their hashes alone, so that the chain is shown unbroken and tells
nothing of others. Times are Unix seconds in the audit, RFC 3339 elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.errors import UsageError
from gateway.store.writer import chain

MANIFEST = "manifest.json"
AUDIT = "audit.json"
FORMAT = "gatehouse-incident/1"
#: What a pack may unfold to, so that a crafted file does not fill the memory.
LARGEST = 256 * 1024 * 1024
_STILL = (1980, 1, 1, 0, 0, 0)


class Verdict(NamedTuple):
    """What a pack proves. `problems` is empty where it is whole; `seal` names exactly this content."""

    alert: str
    files: int
    lines: int
    links: int
    seal: str
    problems: list[str]


def audit_lines(rows: Sequence[Sequence[Any]], about: frozenset[str]) -> list[dict[str, Any]]:
    """The rows of the audit, whole where their target is the incident's, else as links of the chain."""
    lines = []
    for number, time, actor, action, target, outcome, detail, previous, own in rows:
        line: dict[str, Any] = {"id": number, "previous": previous, "hash": own}
        if target in about:
            line |= {"time": time, "actor": actor, "action": action, "target": target, "outcome": outcome}
            line["detail"] = detail
        lines.append(line)
    return lines


def pack(alert: str, files: Mapping[str, Any], made: str) -> bytes:
    """The zip of these files, each a JSON value by its name; `made` is when, RFC 3339."""
    bodies = {name: msgspec.json.format(msgspec.json.encode(value), indent=1) for name, value in files.items()}
    sums = {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
    manifest = {"format": FORMAT, "alert": alert, "made": made, "files": sums}
    bodies[MANIFEST] = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in bodies.items():
            archive.writestr(zipfile.ZipInfo(name, _STILL), body, zipfile.ZIP_DEFLATED)
    return box.getvalue()


def verify(content: bytes) -> Verdict:
    """Checks a pack: its files against the manifest, its audit against the chain. Raises `UsageError` for no pack."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > LARGEST:
                raise UsageError(f"the file unfolds to more than {LARGEST} bytes: it is no incident pack")
            names = archive.namelist()
            bodies = {name: archive.read(name) for name in names}
        manifest = msgspec.json.decode(bodies[MANIFEST])
        listed, alert = dict(manifest["files"]), str(manifest["alert"])
        lines = msgspec.json.decode(bodies.get(AUDIT, b"[]"), type=list[dict[str, Any]])
        if manifest["format"] != FORMAT:
            raise UsageError(f"the file is of the format '{manifest['format']}'; this version reads '{FORMAT}'")
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError, TypeError, ValueError, NotImplementedError) as error:
        raise UsageError(f"the file is no incident pack: {error}") from error
    problems = [f"{name} is there twice" for name in set(names) if names.count(name) > 1]
    problems += [f"{name} is missing" for name in sorted(listed.keys() - bodies.keys())]
    problems += [f"{name} is not in the manifest" for name in sorted(bodies.keys() - listed.keys() - {MANIFEST})]
    problems += [
        f"{name} was changed"
        for name in sorted(listed.keys() & bodies.keys())
        if hashlib.sha256(bodies[name]).hexdigest() != listed[name]
    ]
    whole = [line for line in lines if "action" in line]
    problems += _broken(lines)
    if not any(line.get("target") == alert for line in whole):
        problems.append("the audit tells nothing of the alert")
    seal = hashlib.sha256(bodies[MANIFEST]).hexdigest()
    return Verdict(alert, len(listed), len(whole), len(lines), seal, problems)


def _broken(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the chain does not hold."""
    found = []
    before: Mapping[str, Any] | None = None
    for line in lines:
        number = line.get("id")
        if before is not None and (line.get("previous") != before.get("hash") or number != before.get("id", 0) + 1):
            found.append(f"the audit's chain is broken before entry {number}")
        if "action" in line:
            fields = [line.get(name) for name in ("time", "actor", "action", "target", "outcome", "detail")]
            if not isinstance(number, int) or chain(str(line.get("previous")), number, fields) != line.get("hash"):
                found.append(f"entry {number} of the audit was changed")
        before = line
    return found
