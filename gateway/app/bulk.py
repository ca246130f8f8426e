"""Registering many devices at once, with a credential for each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from gateway.app.acting import acting, wait_for_broker
from gateway.app.credentials import new_password
from gateway.broker import hash_password
from gateway.broker.server import write_private
from gateway.config import Home, Settings
from gateway.errors import Invalid
from gateway.model import Device


def import_file(home: Home, settings: Settings, file: Path, credentials: Path) -> int:
    """Registers the devices of `file` and writes `{id: {"username", "password"}}`. How many were added."""
    try:
        items = msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]])
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(str(file), f"no JSON list of device records: {error}") from error
    return import_devices(home, settings, items, credentials)


def import_devices(home: Home, settings: Settings, items: list[dict[str, Any]], credentials: Path) -> int:
    """The same for records in memory. `parent` is read as `connected_via`; other unknown keys are left out."""
    fields = set(Device.__struct_fields__)
    passwords = {str(item.get("id")): new_password() for item in items}
    with ThreadPoolExecutor(2) as pool:
        hashes = dict(zip(passwords, pool.map(hash_password, passwords.values()), strict=True))
    records = []
    for item in items:
        record = {key: value for key, value in item.items() if key in fields and value is not None}
        if item.get("parent"):
            record["connected_via"] = item["parent"]
        records.append({**record, "secret_hash": hashes[str(item.get("id"))]})
    added: list[str] = []
    with acting(home, settings) as act:
        for start in range(0, len(records), 1000):
            added += act("device.import", devices=records[start : start + 1000])["added"]
    wait_for_broker(home, settings)
    known: dict[str, Any] = {}
    if credentials.exists():
        known = msgspec.json.decode(credentials.read_bytes())
    known.update({name: {"username": name, "password": passwords[name]} for name in added})
    write_private(credentials, msgspec.json.encode(known).decode())
    return len(added)
