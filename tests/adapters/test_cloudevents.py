"""The native format."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cloudevents import create
from adapters.cloudevents.times import epoch, rfc3339
from adapters.strict_json import count_keys, keys_are_unique, read_json
from adapters.trial import TrialContext
from gateway.contract import Decoded, Reading
from gateway.errors import Undecodable
from gateway.model.command import Command
from gateway.model.place import Device

TOPIC = "gatehouse/v1/garden/door-12/events"
ADAPTER = create()
CONTEXT = TrialContext()


def event(**changes: Any) -> dict[str, Any]:
    base = {"specversion": "1.0", "id": "a1", "source": "door-12", "type": "access.door", "data": {"state": "open"}}
    return {name: value for name, value in {**base, **changes}.items() if value is not ...}


def decode(document: Any) -> Decoded:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ADAPTER.decode(TOPIC, body, CONTEXT)


def one(**changes: Any) -> Reading:
    (reading,) = decode(event(**changes)).events
    return reading


def refusal(document: Any) -> Undecodable:
    with pytest.raises(Undecodable) as caught:
        decode(document)
    return caught.value


def test_source_and_id_together_are_the_key() -> None:
    assert one(source="/a", id="1").id != one(source="/b", id="1").id
    assert refusal(event(source="/a b")).where == "$.source"


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
@pytest.mark.parametrize(
    ("value", "reason"), [(..., "missing"), (None, "missing"), (7, "expected a text"), ("", "empty")]
)
def test_required_attributes_are_named_when_missing_or_wrong(name: str, value: Any, reason: str) -> None:
    error = refusal(event(**{name: value}))
    assert error.where == f"$.{name}"
    assert error.reason.startswith(reason)


def test_an_error_in_a_batch_carries_the_index_of_the_event() -> None:
    assert refusal([event(), event(), event(), event(data=7)]).where == "$[3].data"
    assert refusal([event(), 5]).where == "$[1]"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-11-22T11:05:49Z", 1795345549.0),
        ("2026-11-22T19:05:49+08:00", 1795345549.0),
        ("2026-11-22T11:05:49.123456Z", 1795345549.123456),
        ("2026-11-22t11:05:49.5z", 1795345549.5),
        ("2026-11-22 11:05:49Z", 1795345549.0),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("2038-01-19T03:14:08Z", 2147483648.0),
        ("9999-12-31T23:59:59Z", 253402300799.0),
    ],
)
def test_fault_045_times_of_any_age_are_read_as_they_are(text: str, seconds: float) -> None:
    assert one(time=text).time == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "NaN", "", "2026-11-22", "2026-11-22T11:05:49", "20261122T110549Z", "2026-W47-7T11:05:49Z"),
        *("2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22T11:05Z", 1795345549, 1.5, True, ["x"], {}),
    ],
)
def test_fault_045_what_is_no_rfc_3339_time_is_refused(text: Any) -> None:
    assert refusal(event(time=text)).where == "$.time"


@given(st.floats(min_value=-6e10, max_value=2.5e11))
@settings(max_examples=100, deadline=None, database=None)
def test_times_written_are_times_read(seconds: float) -> None:
    assert epoch(rfc3339(seconds), "$.time") == pytest.approx(seconds, abs=0.0011)


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None, database=None)
def test_no_text_makes_the_time_fail(text: str) -> None:
    with suppress(Undecodable):
        assert isinstance(epoch(text, "$.time"), float)


@pytest.mark.parametrize(
    ("given_", "number"), [(0, 0), (41, 41), ("41", 41), ("0041", 41), ("abc", None), (None, None), ("", None)]
)
def test_the_sequence_extension_is_a_number_or_a_text(given_: Any, number: int | None) -> None:
    assert one(sequence=given_).sequence == number


@pytest.mark.parametrize("value", [-1, 1.5, True, [], {}, 2**63, "9" * 30, "9" * 5000])
def test_a_sequence_that_is_no_count_is_refused(value: Any) -> None:
    assert refusal(event(sequence=value)).where == "$.sequence"


def test_boot_and_replay_extensions() -> None:
    assert (one(boot=3).boot, one(boot="r2").boot, one().boot) == ("3", "r2", "")
    assert (one(replay=True).replay, one(replay="true").replay, one(replay=False).replay) == (True, True, False)
    assert refusal(event(replay=1)).where == "$.replay"
    assert refusal(event(boot=1.5)).where == "$.boot"


def test_only_json_data_is_read() -> None:
    assert one(datacontenttype="application/json; charset=utf-8").data == {"state": "open"}
    assert one(datacontenttype="application/senml+json").data == {"state": "open"}
    assert refusal(event(datacontenttype="text/xml")).where == "$.datacontenttype"
    assert refusal(event(data=..., data_base64="AA==")).where == "$.data_base64"
    assert one(data=...).data == {} and one(data=None).data == {}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"specversion":"1.0","id":"a","id":"b","source":"s","type":"t"}', "$.id"),
        (b'{"specversion" : "1.0", "id" : "a", "id" : "b", "source":"s","type":"t"}', "$.id"),
        (b'[{"specversion":"1.0","id":"a","source":"s","type":"t","data":{"n":{"x":1,"x":2}}}]', "$[0].data.n.x"),
        (b'{"specversion":"1.0","id":"\\":","id":"b","source":"s","type":"t"}', "$.id"),
    ],
)
def test_fault_068_a_key_that_stands_twice_is_found_however_it_is_written(body: bytes, where: str) -> None:
    assert refusal(body).where == where


def test_fault_068_data_nested_too_deep_is_refused_by_its_path() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    error = refusal(event(data={"a": deep}))
    assert error.where.startswith("$.data.a[0][0]") and "deeper than 32" in error.reason


@given(
    st.recursive(
        st.none() | st.integers(-9, 9) | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : "), (",\n", "\n:\t")]),
)
@settings(max_examples=150, deadline=None, database=None)
def test_sound_json_is_never_taken_for_doubled(document: Any, separators: tuple[str, str]) -> None:
    body = json.dumps(document, separators=separators, ensure_ascii=False).encode()
    assert read_json(body) == document


def test_a_message_with_odd_blanks_is_looked_at_closely_and_a_plain_one_is_not() -> None:
    assert keys_are_unique(b'{"a":1,"b": {"c":2}}', 3)
    assert not keys_are_unique(b'{"a" :1}', 1)
    assert not keys_are_unique(b'{"a":"\\""}', 1)
    assert not keys_are_unique(b'{"a":1,"a":2}', 1)
    assert count_keys({"a": 1, "b": [{"c": 2}, {"d": 3}]}) == 4


def test_a_command_is_sent_with_its_expiry() -> None:
    command = Command(
        id="cmd-1", site="garden", device="door-12", name="open", args={"seconds": 5}, expires=1795345554.5
    )
    door = Device(id="door-12", site="garden", adapter="cloudevents", external_id="door-12")
    (packet,) = ADAPTER.encode(command, door)
    assert packet.topic == "gatehouse/v1/garden/door-12/commands"
    assert json.loads(packet.payload) == {
        "id": "cmd-1",
        "command": "open",
        "args": {"seconds": 5},
        "expires": "2026-11-22T11:05:54.500Z",
    }


def test_a_push_is_answered_with_the_number_of_events_taken() -> None:
    assert ADAPTER.http_reply(decode([event(), event(id="a2")]), None) == ("application/json", b'{"accepted":2}')
