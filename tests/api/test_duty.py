"""People, rosters and shifts through the API, with the real core behind it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.app import create_app
from gateway.api.settings import ApiSettings
from gateway.store.queries import Reader
from tests.support.lab import Lab
from tests.support.lab_door import LabDoor

pytestmark = pytest.mark.anyio

SLOTS = [
    {"start": "08:00", "end": "20:00", "people": ["anna"], "role": "guard"},
    {"start": "20:00", "end": "08:00", "people": ["ben"], "role": "guard"},
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    lab.act("site.put", id="s1", timezone="Asia/Shanghai")
    lab.device("door-1", type="door")
    lab.device("door-2", type="door")
    for name, role in (("anna", "operator"), ("ben", "operator"), ("erika", "engineer"), ("vera", "viewer")):
        lab.act(
            "token.create", id=f"tk-{name}", name=name, role=role, hash=hashlib.sha256(f"s-{name}".encode()).hexdigest()
        )
    yield lab
    lab.close()


@pytest.fixture
async def client(lab: Lab, settings: ApiSettings) -> AsyncIterator[httpx.AsyncClient]:
    reader = Reader(lab.url)
    app = create_app(settings, reader, LabDoor(lab), clock=lab.clock.wall)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1") as opened:
        yield opened
    reader.close()


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer s-{name}"}


async def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def staff(client: httpx.AsyncClient) -> None:
    for name in ("anna", "ben"):
        body = {"name": name.title(), "teams": ["security"], "addresses": {"phone": "13800001234"}}
        await ok(await client.put(f"/people/{name}", headers=by("erika"), json=body))


async def test_a_roster_is_put_shown_and_says_who_is_on_duty(client: httpx.AsyncClient, lab: Lab) -> None:
    await staff(client)
    body = {"site": "s1", "team": "security", "title": {"en": "Guards", "zh": "保安"}, "slots": SLOTS}
    put = await client.put("/rosters/guards", headers=by("erika"), json=body)
    shown = await ok(put)
    assert (shown["gaps"], shown["slots"][0]["days"]) == ([], ["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    assert put.headers["etag"] == 'W/"1"'
    # 10:00 UTC is 18:00 in Shanghai.
    now = (await ok(await client.get("/rosters/on-duty", headers=by("vera"))))["items"]
    assert [(one["person"], one["name"], one["team"], one["until_at"]) for one in now] == [
        ("anna", "Anna", "security", "2026-03-02T12:00:00.000Z")
    ]
    later = await client.get("/rosters/on-duty", headers=by("vera"), params={"from": "2026-03-02T21:00:00+08:00"})
    assert [one["person"] for one in (await ok(later))["items"]] == ["ben"]
    cover = {"from_at": "2026-03-02T09:00:00Z", "until_at": "2026-03-02T11:00:00Z", "people": ["ben"]}
    await ok(await client.post("/rosters/guards/covers", headers=by("erika"), json=cover))
    now = (await ok(await client.get("/rosters/on-duty", headers=by("vera"))))["items"]
    assert [one["person"] for one in now] == ["ben"]
    stale = await client.put("/rosters/guards", headers={**by("erika"), "If-Match": 'W/"1"'}, json=body)
    assert stale.status_code == 412
    assert (await client.delete("/people/ben", headers=by("erika"))).status_code == 409
    assert (await client.delete("/rosters/guards", headers=by("erika"))).status_code == 204
    assert (await client.delete("/people/ben", headers=by("erika"))).status_code == 204
    assert (await client.get("/rosters/guards", headers=by("vera"))).status_code == 404


async def test_a_roster_with_a_gap_is_refused_with_its_times_or_shown_with_them(client: httpx.AsyncClient) -> None:
    await staff(client)
    body = {"site": "s1", "team": "security", "slots": SLOTS[:1]}
    refused = await client.put("/rosters/guards", headers=by("erika"), json=body)
    assert refused.status_code == 422
    assert "nobody is on duty mon 00:00 - mon 08:00" in refused.json()["detail"]
    shown = await ok(await client.put("/rosters/guards", headers=by("erika"), json={**body, "continuous": False}))
    assert len(shown["gaps"]) == 8


async def test_how_somebody_is_reached_is_masked_unless_there_is_a_reason(client: httpx.AsyncClient, lab: Lab) -> None:
    await staff(client)
    listed = await ok(await client.get("/people", headers=by("anna")))
    assert "13800001234" not in str(listed) and len(listed["items"]) == 2
    revealed = await client.get("/people/anna", headers=by("anna"), params={"reveal": "call her in"})
    assert (await ok(revealed))["addresses"] == {"phone": "13800001234"}
    assert (await client.get("/people", headers=by("vera"), params={"reveal": "curious"})).status_code == 403


async def test_a_shift_is_taken_handed_over_and_accepted(client: httpx.AsyncClient, lab: Lab) -> None:
    shift = await ok(await client.post("/shifts", headers=by("anna"), json={"site": "s1"}), 201)
    path = f"/shifts/{shift['id']}"
    lab.say("door-1", "access.duress", method="pin")
    lab.raw("gatehouse/v1/s1/door-2/availability", "offline")
    (alert,) = [one for one in lab.alerts() if one.severity == "critical"]
    preview = await ok(await client.get(f"{path}/handover", headers=by("vera")))
    assert preview["signed"] is False and preview["blocking"] == [alert.id]
    assert {chapter["name"]: chapter["total"] for chapter in preview["chapters"]}["offline"] == 1
    refused = await client.post(f"{path}/handover", headers=by("anna"), json={})
    assert refused.status_code == 409 and alert.id in refused.json()["detail"]
    await ok(await client.post(f"/alerts/{alert.id}/acknowledge", headers=by("anna"), json={}))
    await ok(await client.post(f"{path}/notes", headers=by("anna"), json={"text": "door 2 sounds odd"}))
    lab.wait(60)
    await ok(await client.post(f"{path}/handover", headers=by("anna"), json={"notes": "watch door 2"}))
    second = await client.post("/shifts", headers=by("ben"), json={"site": "s1"})
    assert second.status_code == 409 and "sign the hand-over" in second.json()["detail"]
    lab.crash()
    following = await ok(await client.post(f"{path}/handover/accept", headers=by("ben"), json={}), 201)
    signed = await ok(await client.get(f"{path}/handover", headers=by("vera")))
    assert (signed["signed_by"], signed["accepted_by"]) == ("token:anna", "token:ben")
    assert signed["signed"] is True and signed["notes"] == "watch door 2"
    log = (await ok(await client.get("/shifts", headers=by("vera"))))["items"]
    assert [one["id"] for one in log] == [following["id"], shift["id"]]
    current = (await ok(await client.get("/shifts", headers=by("vera"), params={"state": "current"})))["items"]
    assert [one["operator"] for one in current] == ["token:ben"]


async def test_an_alert_is_taken_given_and_given_back(client: httpx.AsyncClient, lab: Lab) -> None:
    lab.say("door-1", "access.duress", method="pin")
    (alert,) = lab.alerts()
    path = f"/alerts/{alert.id}"
    taken = await ok(await client.post(f"{path}/take", headers=by("anna")))
    assert (taken["owner"], taken["state"]) == ("token:anna", "unacknowledged") and taken["owner_at"]
    second = await client.post(f"{path}/take", headers=by("ben"))
    assert second.status_code == 409 and "was taken by token:anna" in second.json()["detail"]
    given = await ok(
        await client.post(f"{path}/assign", headers=by("anna"), json={"to": "ben", "before": "token:anna"})
    )
    assert given["owner"] == "user:ben"
    for verb, body in (("assign", {"to": "anna", "before": ""}), ("release", {"before": "token:anna"})):
        late = await client.post(f"{path}/{verb}", headers=by("anna"), json=body)
        assert late.status_code == 409 and "was taken by user:ben" in late.json()["detail"]
    assert (await ok(await client.post(f"{path}/release", headers=by("ben"))))["owner"] is None


async def test_the_log_of_messages_shows_who_was_told_and_what_failed(
    client: httpx.AsyncClient, lab: Lab, tmp_path: Path
) -> None:
    lab.escalate(CHAIN, ("sms", "phone"), ("desk", ""))
    await staff(client)
    lab.say("door-1", "access.duress", method="pin")
    (alert,) = lab.alerts()
    shown = await ok(await client.get(f"/alerts/{alert.id}", headers=by("vera")))
    assert (shown["escalation"]["level"], shown["escalation"]["levels"]) == (1, 2)
    assert shown["escalation"]["told"][0]["people"] == ["anna"] and shown["escalation"]["next_at"]
    (one,) = (await ok(await client.get("/notifications", headers=by("vera"))))["items"]
    assert (one["state"], one["people"], one["channels"], one["alert"]) == ("pending", ["anna"], ["sms"], alert.id)
    assert "13800001234" not in str(one)
    lab.wait(60)
    one = await ok(await client.get(f"/notifications/{one['id']}", headers=by("vera")))
    assert one["attempts"] == 2 and "no answer" in one["tried"][0]["error"]
    unsent = (await ok(await client.get("/notifications", headers=by("vera"), params={"state": "unsent"})))["items"]
    assert {each["kind"] for each in unsent} == {"alert"}
    lab.wait(10)
    assert (await client.post(f"/notifications/{one['id']}/retry", headers=by("vera"))).status_code == 403
    answer = await ok(await client.post("/notifications/test", headers=by("erika"), json={"channel": "desk"}), 202)
    test = await client.get(f"/notifications/{answer['result']['notifications'][0]}", headers=by("vera"))
    assert (await ok(test))["kind"] == "test"
    assert (await client.get("/notifications/none", headers=by("vera"))).status_code == 404


CHAIN = """
chains:
  - id: all
    levels:
      - {after: 0s, tell: [{user: anna}], by: [sms]}
      - {after: 3m, tell: [everyone], by: [sms]}
"""
