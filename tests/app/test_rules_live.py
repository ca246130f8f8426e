"""Rules changed on the whole product: by the API, by file, over `kill -9`, and with the check in its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.brokers import wait_until
from tests.support.gateway import RealGateway, cloud_event

pytestmark = pytest.mark.slow
PACK = """
- id: own.fire
  title: fire
  severity: critical
  on: access.door
  when: forced
  for: 1s
"""
WITHIN = 60.0


def put(gateway: RealGateway, text: str, pack: str = "own") -> httpx.Response:
    body = {"text": text, "reason": "a test"}
    return httpx.put(f"{gateway.url}/rules/packs/{pack}", json=body, headers=gateway.headers, timeout=60)


def wait_pack(gateway: RealGateway, condition: Any, pack: str = "own") -> dict[str, Any]:
    found: dict[str, Any] = gateway.wait_for(f"/rules/packs/{pack}", condition, within=WITHIN)
    return found


def rule(gateway: RealGateway, name: str) -> dict[str, Any]:
    answer = httpx.get(f"{gateway.url}/rules/{name}", headers=gateway.headers, timeout=30)
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found


def test_rules_are_changed_by_api_and_file_and_survive_kills(tmp_path: Path) -> None:
    with RealGateway(tmp_path / "home") as gateway:
        file = gateway.home.rules / "own.yaml"
        made = put(gateway, PACK)
        assert made.status_code == 201, made.text
        wait_until(lambda: file.exists() and file.read_text() == PACK, WITHIN, "the file is written")
        assert rule(gateway, "own.fire")["for"] == 1.0

        refused = put(gateway, PACK.replace("forced", "forcd"))
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["line"] == 6

        file.write_text(PACK.replace("title: fire", "title: smoke"))
        wait_pack(gateway, lambda pack: pack["version"] == 2 and pack["author"] == "file")
        file.write_text("- id: x\n")
        wait_pack(gateway, lambda pack: pack["refused"] is not None)
        gateway.wait_for(
            "/alerts", lambda page: "gateway.rules-refused" in {one["rule"] for one in page["items"]}, within=WITHIN
        )
        gateway.wait_back("core", gateway.kill("core"), within=WITHIN)
        assert rule(gateway, "own.fire")["title"]["en"] == "smoke"
        assert put(gateway, PACK).status_code == 200
        wait_until(lambda: file.read_text() == PACK, WITHIN, "the refused file is written over")

        device, topic = gateway.add_device("door-1", type="door"), "gatehouse/v1/s1/door-1/events"
        forced, closed = {"state": "open", "forced": True}, {"state": "closed", "forced": False}
        with gateway.client(device) as client:
            client.publish(topic, cloud_event("door-1", "access.door", 1, forced))
            gateway.wait_for(
                "/alerts", lambda page: "own.fire" in {one["rule"] for one in page["items"]}, within=WITHIN
            )
            client.publish(topic, cloud_event("door-1", "access.door", 2, closed))
            gateway.wait_for(
                "/alerts", lambda page: any(one["rule"] == "own.fire" and not one["active"] for one in page["items"]),
                within=WITHIN,
            )  # fmt: skip

        # The same alert would have come: the process of its own says so, and the change is in force.
        harmless = put(gateway, PACK.replace("for: 1s", "for: 1s\n  clear: not forced"))
        assert harmless.status_code in (200, 202), harmless.text
        wait_pack(gateway, lambda pack: pack["waiting"] is None and "clear" in (pack["text"] or ""))

        # With this one it would not.
        assert put(gateway, PACK.replace("for: 1s", "for: 2h")).status_code == 202
        waiting = wait_pack(gateway, lambda pack: pack["waiting"] and pack["waiting"]["state"] == "waiting")
        assert [one["why"] for one in waiting["waiting"]["hidden"]] == ["not_raised"]
        assert rule(gateway, "own.fire")["for"] == 1.0
        confirm = f"{gateway.url}/rules/packs/own/pending/confirm"
        again = httpx.post(confirm, json={}, headers=gateway.headers, timeout=30)
        assert again.status_code == 403, "the author may not"
        other = {"Authorization": f"Bearer {gateway.token('engineer')}"}
        done = httpx.post(confirm, json={}, headers=other, timeout=30)
        assert done.status_code == 200, done.text
        assert rule(gateway, "own.fire")["for"] == 7200.0
        wait_until(lambda: "2h" in file.read_text(), WITHIN, "the confirmed text is written")
