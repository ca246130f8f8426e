"""What is shown, and what is masked."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.masking import mask, scrub
from gateway.api.present import rfc3339
from gateway.api.shape import parts_of
from gateway.model import Alert, Command, Device, PlanRun, StepRun, WorkOrder
from gateway.store import tables as t
from tests.api.conftest import NOW, an_alert, bearer
from tests.api.core_double import CoreDouble

pytestmark = pytest.mark.anyio
PERSONAL = ("京A12345", "Zhang San")


def test_wall_times_are_told_and_steady_ones_are_not() -> None:
    assert rfc3339(1_700_000_000.5) == "2023-11-14T22:13:20.500Z"
    assert rfc3339(None) is None and rfc3339(float("nan")) is None
    looks = {part.name: part.look for part in parts_of(WorkOrder)}
    assert looks["respond_by"] == "time" and looks["opened_by"] == "plain" and "respond_due" not in looks
    for struct in (Alert, Command, PlanRun, StepRun, WorkOrder):
        assert not [part.name for part in parts_of(struct) if part.name.endswith("_due") or part.name == "at"]


@given(st.floats())
def test_no_time_a_device_may_claim_is_a_crash(claimed: float) -> None:
    told = rfc3339(claimed)
    assert told is None or (len(told) == 24 and told.endswith("Z"))


@given(st.text(min_size=1))
def test_fault_107_a_mask_keeps_at_most_the_first_two_and_the_last(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert masked == "*" * len(text) if len(text) < 5 else masked[2:-1] == "*" * (len(text) - 3)


def test_fault_107_plates_in_free_texts_are_masked() -> None:
    assert scrub("got '京A12345', not 粤B1234D") == "got '京A****5', not 粤B****D"
    assert scrub("WO-20261122-0001 at 3 o'clock") == "WO-20261122-0001 at 3 o'clock"


@pytest.mark.parametrize(
    "path",
    ["/devices", "/devices/east-cam", "/devices/east-cam/state", "/devices/east-cam/events", "/events",
     "/events?format=csv", "/alerts", "/alerts?format=csv", "/alerts/al-east", "/alerts/al-east/why", "/passes",
     "/passes/pass-east", "/commands/cmd-east", "/dead-letters", "/dead-letters/1", "/audit", "/decisions",
     "/work-orders/wo-plate"],
)  # fmt: skip
async def test_fault_107_nothing_shows_personal_data_unasked(
    client: httpx.AsyncClient, core: CoreDouble, path: str
) -> None:
    core.run(t.decisions.insert().values(
        time=NOW, site="east", device="east-cam", kind="plate", value="京A12345", direction="in", allowed=True,
        reason="pass", pass_id="pass-east", command=None,
    ))  # fmt: skip
    core.put_command(
        Command(id="cmd-east", site="east", device="east-cam", name="show", args={"plate": "京A12345", "text": "hi"})
    )
    title = {"en": "Look for 京A12345"}
    core.put_order(WorkOrder(id="wo-plate", number="WO-2", site="east", title=title, opened_at=NOW))
    answer = await client.get(path, headers=bearer("admin"))
    assert answer.status_code == 200, answer.text
    assert not any(text in answer.text for text in PERSONAL), answer.text
    assert "A****5" in answer.text or path == "/commands/cmd-east" or "3" in answer.text


@pytest.mark.parametrize(
    ("path", "target"),
    [("/passes", "passes"), ("/passes/pass-east", "pass:pass-east"), ("/alerts/al-east", "alert:al-east"),
     ("/devices/east-cam", "device:east-cam"), ("/devices/east-cam/state", "device:east-cam"), ("/events", "events"),
     ("/devices/east-cam/events", "device:east-cam")],
)  # fmt: skip
async def test_fault_107_a_reason_reveals_to_operators_and_is_audited(
    client: httpx.AsyncClient, core: CoreDouble, path: str, target: str
) -> None:
    asked = {"reveal": "police request 7"}
    assert (await client.get(path, params=asked, headers=bearer("viewer"))).status_code == 403
    assert core.actions == []
    answer = await client.get(path, params=asked, headers=bearer("operator"))
    assert "京A12345" in answer.text
    note = core.of("audit.note")[0]
    assert note.actor.name == "token:operator"
    assert note.args == {"action": "personal.reveal", "target": target, "detail": {"reason": "police request 7"}}
    core.away = True
    refused = await client.get(path, params=asked, headers=bearer("operator"))
    assert refused.status_code == 503 and "京A12345" not in refused.text, "what cannot be audited is not shown"
    assert (await client.get(path, params={"reveal": ""}, headers=bearer("operator"))).status_code == 422


async def test_looking_for_one_plate_takes_an_operator(client: httpx.AsyncClient) -> None:
    for path in ("/passes", "/decisions"):
        assert (await client.get(path, params={"value": "x"}, headers=bearer("viewer"))).status_code == 403
    found = await client.get("/passes", params={"value": "京A12345"}, headers=bearer("operator"))
    assert [item["id"] for item in found.json()["items"]] == ["pass-east", "pass-west"]


async def test_the_bytes_of_a_dead_letter_need_a_reason(client: httpx.AsyncClient) -> None:
    engineer = bearer("engineer")
    assert (await client.get("/dead-letters/1", headers=engineer)).json()["payload"] is None
    shown = await client.get("/dead-letters/1", params={"reveal": "mending the camera"}, headers=engineer)
    assert shown.json()["payload"] == "YWJj"


def sheet(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "name", ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", " =1+1", "%0A=1", "|x", "\ufeff=1"]
)
async def test_fault_091_csv_cells_that_look_like_formulas_are_texts(
    client: httpx.AsyncClient, core: CoreDouble, name: str
) -> None:
    core.put_alert(an_alert("al-csv", title={"en": name}, values={}, evidence=()))
    rows = sheet(await client.get("/alerts?format=csv", headers=bearer("viewer")))
    cell = next(row["title_en"] for row in rows if row["id"] == "al-csv")
    assert cell == "'" + name


async def test_fault_091_csv_keeps_every_row_and_hands_on_the_cursor(
    client: httpx.AsyncClient, core: CoreDouble
) -> None:
    odd = '<img onerror=alert(1)>,"quoted"\r\nsecond line {{7*7}} \u202eevil'
    core.put_alert(an_alert("al-csv", title={"en": odd}, values={}, evidence=(), raised_at=NOW + 1))
    first = await client.get("/alerts?format=csv&limit=1", headers=bearer("viewer"))
    rows = sheet(first)
    assert len(rows) == 1 and rows[0]["title_en"] == odd and rows[0]["raised_at"] == "2023-11-14T22:13:21.000Z"
    more = await client.get(
        "/alerts", params={"format": "csv", "cursor": first.headers["x-next-cursor"]}, headers=bearer("viewer")
    )
    assert {row["id"] for row in sheet(more)} == {"al-east", "al-west"} and "x-next-cursor" not in more.headers
    events = sheet(await client.get("/events?format=csv", headers=bearer("viewer")))
    assert len(events) == 10 and events[0]["data"] == '{"plate":"京A****5","direction":"in"}'


async def test_fault_091_a_devices_name_comes_back_as_it_is(client: httpx.AsyncClient, core: CoreDouble) -> None:
    for name in ("<img src=x onerror=alert(1)>", "{{7*7}}", "\u202eevil", "=cmd()", "门禁 №1 🚪"):
        core.put_device(Device(id="east-odd", site="east", adapter="x", external_id="odd", name={"en": name}))
        answer = await client.get("/devices/east-odd", headers=bearer("viewer"))
        assert answer.json()["name"]["en"] == name
        assert answer.headers["content-type"] == "application/json"


async def test_devices_are_found_by_part_of_id_serial_or_name_in_any_script(
    client: httpx.AsyncClient, core: CoreDouble
) -> None:
    core.put_device(Device(id="d-1", site="east", adapter="x", external_id="SER_1%", name={"zh": "东门相机"}))

    async def found(q: str) -> list[str]:
        answer = await client.get("/devices", params={"q": q}, headers=bearer("viewer"))
        return [item["id"] for item in answer.json()["items"]]

    assert await found("d-1") == ["d-1"] and await found("ser_1%") == ["d-1"]
    assert await found("东门") == ["d-1"] and await found("相机") == ["d-1", "east-cam", "west-cam"]
    assert (
        await found("CAMERA") == ["east-cam", "west-cam"] and await found("%") == ["d-1"] and await found("x_x") == []
    )


def test_every_personal_field_of_the_catalogue_is_masked(app: Any) -> None:
    presenter = app.state.room.presenter
    kinds = app.state.room.settings.definitions.catalogue.kinds.values()
    personal = [(kind.name, name) for kind in kinds for name, field in kind.fields.items() if field.personal]
    assert len(personal) >= 3
    for kind, name in personal:
        assert presenter.masking.data(kind, {name: "canary-value"})[name] == "ca*********e", (kind, name)
        assert presenter.masking.data("kind.unknown", {name: "canary-value"})[name] == "ca*********e"
    deep = presenter.masking.named({"a": [{"plate": "京A12345"}]})
    assert msgspec.json.encode(deep).decode() == '{"a":[{"plate":"京A****5"}]}'
