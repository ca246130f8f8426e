"""The event stream on a real port."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete

from gateway.api.settings import ApiSettings
from gateway.model import Device
from gateway.store import tables as t
from tests.api.conftest import an_alert, encoded
from tests.api.core_double import CoreDouble
from tests.api.server import Running, Stream
from tests.support.brokers import PATIENCE, SHARED


@pytest.fixture
def running(settings: ApiSettings, database: str, core: CoreDouble) -> Iterator[Running]:
    with Running(msgspec.structs.replace(settings, port=0), database, core) as server:
        yield server


@pytest.fixture
def listen(running: Running) -> Iterator[Callable[..., Stream]]:
    opened: list[Stream] = []

    def start(*args: Any, **named: Any) -> Stream:
        opened.append(Stream(running, *args, **named))
        return opened[-1]

    yield start
    for stream in opened:
        stream.close()


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def test_stream_greets_beats_and_tells_a_change_when_the_core_pokes(
    running: Running, listen: Callable[..., Stream], core: CoreDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.hub._FALLBACK", 600.0)  # it is the poke that brings it
    stream = listen()
    assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")
    frames = stream.frames(beats=True)
    hello = next(frames)
    assert hello["event"] == "hello" and hello["data"]["version"] == "0.0-test"
    assert hello["data"]["server_time"].endswith("Z") and hello["id"] == hello["data"]["last_id"]
    beat = next(frames)
    assert beat["event"] == "heartbeat" and "id" not in beat and beat["data"]["core"] == "up"
    core.put_alert(an_alert("al-new"))
    running.poke()
    frame = next(frame for frame in frames if frame["event"] == "alert")
    assert frame["id"] == hello["data"]["last_id"] + 1 and frame["data"]["ref"] == "al-new"
    assert frame["data"]["time"] == "2023-11-14T22:13:20.500Z"


def test_stream_tells_the_same_json_as_the_resource(
    running: Running, listen: Callable[..., Stream], core: CoreDouble
) -> None:
    stream = listen()
    frames = stream.frames()
    next(frames)
    core.change("device", "east-cam", "east", encoded(Device(id="east-cam", site="east", adapter="a", external_id="x")))
    running.poke()
    body = next(frames)["data"]["body"]
    assert body["online"] is True and body["state"]["parking.vehicle"]["data"]["plate"] == "京A****5"


def test_stream_notices_changes_without_a_poke(listen: Callable[..., Stream], core: CoreDouble) -> None:
    frames = listen().frames()
    next(frames)
    core.put_alert(an_alert("al-quiet"))
    assert next(frames)["data"]["ref"] == "al-quiet"


@pytest.mark.parametrize("by", ["header", "query"])
def test_fault_112_last_event_id_resumes_without_gap_or_duplicate(
    running: Running, listen: Callable[..., Stream], core: CoreDouble, by: str
) -> None:
    first = listen()
    frames = first.frames()
    start = next(frames)["data"]["last_id"]
    told = []
    for number in range(3):
        core.put_alert(an_alert(f"al-{number}"))
        running.poke()
        told.append(next(frames)["id"])
    first.close()
    for number in range(3, 1203):
        core.change("decision", f"d-{number}", "east", "{}")
    resumed = (
        listen(headers=f"Last-Event-ID: {told[-1]}\r\n")
        if by == "header"
        else listen(query=f"?last_event_id={told[-1]}")
    )
    again = resumed.frames()
    assert next(again)["event"] == "hello"
    told += [frame["id"] for frame in itertools.islice(again, 600)]
    core.put_alert(an_alert("al-live"))
    running.poke()
    told += [frame["id"] for frame in itertools.islice(again, 601)]
    assert told == list(range(start + 1, start + 1205))


def test_fault_114_resume_from_a_change_no_longer_kept_says_resync(
    listen: Callable[..., Stream], core: CoreDouble
) -> None:
    for number in range(10):
        core.put_alert(an_alert(f"al-{number}"))
    core.run(delete(t.changes).where(t.changes.c.id < 10))
    for old in ("3", "99999", "not-a-number", "-1", "9" * 30):
        frames = listen(headers=f"Last-Event-ID: {old}\r\n").frames()
        assert next(frames)["event"] == "hello"
        resync = next(frames)
        assert resync["event"] == "resync" and resync["id"] == resync["data"]["last_id"], old


def test_fault_086_stream_tells_of_ones_own_sites_only(
    running: Running, listen: Callable[..., Stream], core: CoreDouble
) -> None:
    start = listen().frames()
    last = next(start)["data"]["last_id"]
    core.put_alert(an_alert("al-e", "east"))
    core.put_alert(an_alert("al-w", "west"))
    core.change("states", "", "", '{"devices":{}}')
    core.change("ledger", "ledger", "", '{"received":1}')
    frames = listen("west-viewer", query=f"?last_event_id={last}").frames()
    next(frames)
    assert [next(frames)["data"]["ref"] for _ in range(2)] == ["al-w", "ledger"]
    core.put_alert(an_alert("al-e", "east"))
    core.put_alert(an_alert("al-w2", "west"))
    running.poke()
    assert next(frames)["data"]["ref"] == "al-w2"


def test_fault_107_stream_masks_personal_data(
    running: Running, listen: Callable[..., Stream], core: CoreDouble
) -> None:
    stream = listen()
    frames = stream.frames()
    next(frames)
    core.put_alert(an_alert("al-p"))
    known = running.reader.pass_("pass-east")
    assert known is not None
    core.put_pass(msgspec.structs.replace(known, id="pass-n"))
    core.change(
        "decision", "d", "east", '{"value":"京A12345","allowed":true,"reason":"pass","decided_at":5.0,"at":1.0}'
    )
    kinds = {"parking.vehicle": {"data": {"plate": "京A12345"}, "received": 5.0, "time": 5.0}}
    states = {"devices": {"east-cam": {"online": True, "last_at": 5.0, "kinds": kinds}}}
    core.change("states", "", "east", json.dumps(states))
    running.poke()
    told = [next(frames) for _ in range(4)]
    assert [frame["event"] for frame in told] == ["alert", "pass", "decision", "states"]
    text = json.dumps(told, ensure_ascii=False)
    assert "京A12345" not in text and "Zhang San" not in text and "京A****5" in text
    assert told[2]["data"]["body"]["decided_at"] == "1970-01-01T00:00:05.000Z" and "at" not in told[2]["data"]["body"]
    assert told[3]["data"]["body"]["devices"]["east-cam"]["last_at"] == "1970-01-01T00:00:05.000Z"


def test_a_change_that_cannot_be_shown_is_told_without_its_body(
    running: Running, listen: Callable[..., Stream], core: CoreDouble
) -> None:
    frames = listen().frames()
    next(frames)
    core.change("alert", "al-odd", "east", '{"no":"alert"}')
    core.change("alert", "al-odd", "east", "{not json")
    core.change("pass", "gone", "east", "null")
    running.poke()
    assert [next(frames)["data"]["body"] for _ in range(3)] == [None, None, None]


def test_fault_x15_a_client_that_does_not_read_is_dropped_and_the_others_go_on(
    settings: ApiSettings, database: str, core: CoreDouble
) -> None:
    small = msgspec.structs.replace(settings, port=0, stream_queue=5)
    with Running(small, database, core) as running:
        sleeper, reader = Stream(running), Stream(running)
        frames = reader.frames()
        next(frames)
        until(lambda: running.room.hub.count == 2, "two listen")
        body = encoded(an_alert("al-big", values={"text": "x" * 400_000}))
        rounds = 0
        while running.room.hub.count == 2:
            rounds += 1
            assert rounds < 60, "the sleeper was never dropped"
            core.change("alert", f"al-{rounds}", "east", body)
            running.poke()
            assert next(frames)["data"]["ref"] == f"al-{rounds}"
        assert running.room.hub.count == 1
        core.put_alert(an_alert("al-after"))
        running.poke()
        assert next(frames)["data"]["ref"] == "al-after"
        until(lambda: len(running.server.server_state.connections) == 1, "the sleeper's connection is closed too")
        sleeper.close()
        reader.close()


def test_streams_beyond_the_limit_are_refused(settings: ApiSettings, database: str, core: CoreDouble) -> None:
    with Running(msgspec.structs.replace(settings, port=0, max_streams=2), database, core) as running:
        first, second, third = Stream(running), Stream(running), Stream(running)
        assert (first.status, second.status, third.status) == (200, 200, 503)
        assert third.headers["content-type"] == "application/problem+json" and third.headers["retry-after"]
        first.close()
        until(lambda: running.room.hub.count == 1, "the first has left")
        fourth = Stream(running)
        assert fourth.status == 200
        for stream in (second, third, fourth):
            stream.close()


def test_a_stream_ends_when_its_token_is_revoked(
    running: Running, listen: Callable[..., Stream], core: CoreDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.hub._CHECK_EVERY", 1)
    frames = listen("viewer").frames(beats=True)
    next(frames)
    core._token_revoke(None, "tk-viewer")  # type: ignore[arg-type]
    assert all(frame["event"] == "heartbeat" for frame in frames), "and then it ends"


def test_heartbeats_say_that_the_core_is_down(
    running: Running, listen: Callable[..., Stream], core: CoreDouble
) -> None:
    core.away = True
    frames = listen().frames(beats=True)
    assert next(frame for frame in frames if frame["event"] == "heartbeat")["data"]["core"] == "down"


def test_fault_x18_an_open_stream_does_not_keep_the_server_from_stopping(
    running: Running, listen: Callable[..., Stream]
) -> None:
    stream = listen()
    frames = stream.frames(beats=True)
    next(frames)
    took = running.stop()
    assert took < 1.5 * SHARED, f"{took:.1f} s"
    assert all(frame["event"] in ("heartbeat", "hello") for frame in frames), "the stream ends in good order"


def test_nobody_listening_costs_no_reads(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def changes_after(last: int, limit: int) -> list[Any]:
        asked.append(last)
        return []

    monkeypatch.setattr(running.reader, "changes_after", changes_after)
    for _ in range(3):
        running.poke()
        time.sleep(0.25)  # time passing is what is tested
    assert asked == []
