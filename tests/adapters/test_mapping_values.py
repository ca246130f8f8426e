"""What the words of a mapping do with values."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mapping import load_mapping
from adapters.mapping.coercion import as_boolean, as_integer, as_number, as_text
from adapters.mapping.conditions import text_or_none
from adapters.mapping.shadow import merged
from adapters.mapping.topics import TopicFilter
from adapters.trial import TrialContext
from gateway.contract import Decoded, Reading
from gateway.errors import Ignored, Undecodable

HEAD = "adapter: bell\ntitle: {en: Bell}\ntopics: bell/{id}\ndevice: topic.id\n"


def decode(body: str, document: Any, **context: Any) -> Decoded:
    adapter = load_mapping(HEAD + body, "bell.yaml")
    return adapter.decode("bell/b-1", json.dumps(document).encode(), TrialContext(**context))


def event(spec: str, document: Any, **context: Any) -> Reading:
    (reading,) = decode(f"messages: [{{events: {{kind: a.b, {spec}}}}}]", document, **context).events
    return reading


def value(spec: str, document: Any, **context: Any) -> Any:
    return event(f"fields: {{x: {spec}}}", document, **context).data.get("x", "nothing")


def refusal(spec: str, document: Any, **context: Any) -> str:
    with pytest.raises(Undecodable) as caught:
        event(spec, document, **context)
    return caught.value.message


@pytest.mark.parametrize(
    ("spec", "document", "expected"),
    [
        ("$.a.b", {"a": {"b": 1}}, 1),
        ("$.a", {}, "nothing"),
        ("$.a", {"a": None}, "nothing"),
        ("'$.a[1]'", {"a": [1, 2]}, 2),
        ("'$.a[-1].b'", {"a": [1, {"b": 3}]}, 3),
        ("'$.a[5]'", {"a": [1]}, "nothing"),
        ("\"$['a b'].c\"", {"a b": {"c": 4}}, 4),
        ("$.温度", {"温度": 5}, 5),
        ("$.a:0", {"a:0": 6}, 6),
        ("topic.id", {}, "b-1"),
        ("topic", {}, "bell/b-1"),
        ("settings.way", {}, "in"),
        ("device.external_id", {}, "b-1"),
        ("{from: [$.a, $.b], as: text}", {"b": 7}, "7"),
        ("{from: $.a, as: text}", {"a": "  x "}, "x"),
        ("{from: $.a, as: number}", {"a": "12.50"}, 12.5),
        ("{from: $.a, as: number}", {"a": "-3"}, -3),
        ("{from: $.a, as: integer}", {"a": "3.0"}, 3),
        ("{from: $.a, as: boolean}", {"a": "ON"}, True),
        ("{from: $.a, as: boolean}", {"a": 0}, False),
        ("{from: $.a, as: present}", {"a": ""}, False),
        ("{from: $.a, as: present}", {"a": 0}, True),
        ("{from: $.a, nothing: ['-', 'n/a']}", {"a": "n/a"}, "nothing"),
        ("{from: $.a, words: {1: face, 2: card}}", {"a": "2"}, "card"),
        ("{from: $.a, words: {1: face}, otherwise: other}", {"a": 9}, "other"),
        ("{from: $.a, words: {true: face}}", {"a": True}, "face"),
        ("{from: $.a, words: {0: null}}", {"a": 0}, "nothing"),
        ("{from: $.a, as: number, scale: 1000}", {"a": "0.605"}, 605),
        ("{from: $.a, as: number, scale: 0.1, offset: -40}", {"a": 650}, 25),
        ("{from: $.a, codec: base64}", {"a": "57Kk"}, "粤"),
        ("{value: face}", {}, "face"),
        ("7", {}, 7),
        ("true", {}, True),
        ("{text: '{$.a}/{$.b|$.c}'}", {"a": 1, "c": "z"}, "1/z"),
        ("{text: '{$.a}/{$.b}'}", {"a": 1}, "nothing"),
        ("{from: $.a, when: {$.b: 1}}", {"a": 1, "b": 2}, "nothing"),
        ("[{value: one, when: {$.b: 1}}, {value: two}]", {"b": 2}, "two"),
        ("{from: $.a, as: number, bad: skip}", {"a": "x"}, "nothing"),
    ],
)
def test_values(spec: str, document: Any, expected: Any) -> None:
    found = value(spec, document, settings={"way": "in"})
    assert found == expected
    assert isinstance(found, bool) is isinstance(expected, bool)


@pytest.mark.parametrize(
    ("spec", "document", "told"),
    [
        ("{from: $.a.b, required: true}", {"a": 1}, "$.a.b: missing"),
        ("{from: $.a, as: number}", {"a": "1_000"}, "$.a: expected a number, got '1_000'"),
        ("{from: $.a, as: number}", {"a": "nan"}, "$.a: expected a number, got 'nan'"),
        ("{from: $.a, as: number}", {"a": True}, "$.a: expected a number, got True"),
        ("{from: $.a, as: integer}", {"a": 2.5}, "$.a: expected a whole number, got 2.5"),
        ("{from: $.a, as: boolean}", {"a": "maybe"}, "$.a: expected true or false, got 'maybe'"),
        ("{from: $.a, as: text}", {"a": [1]}, "$.a: expected a text, got [1]"),
        ("$.a", {"a": {"b": 1}}, "$.a: expected a single value, got an object"),
        ("{from: $.a, words: {1: face, 2: card}}", {"a": 3}, "$.a: 3 is not one of 1, 2"),
        ("{from: $.a, codec: base64}", {"a": "%"}, "$.a: expected UTF-8 text in base64, got '%'"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_its_path(spec: str, document: Any, told: str) -> None:
    assert refusal(f"fields: {{x: {spec}}}", document) == told


@pytest.mark.parametrize(
    ("when", "document", "holds"),
    [
        ("{$.a: 1}", {"a": "1"}, True),
        ("{$.a: 1}", {"a": 1.0}, True),
        ("{$.a: 1}", {"a": True}, False),
        ("{$.a: true}", {"a": "true"}, True),
        ("{$.a: [1, 2]}", {"a": 2}, True),
        ("{$.a: null}", {}, True),
        ("{$.a: ['', null]}", {"a": ""}, True),
        ("{$.a: {not: [1, 2]}}", {"a": 3}, True),
        ("{$.a: {not: 1}}", {}, True),
        ("{$.a: {present: true}}", {"a": ""}, False),
        ("{$.a: {present: false}}", {}, True),
        ("{$.a: {present: true, not: 3}}", {"a": 3}, False),
        ("{$.a: {same: $.b}}", {"a": 1, "b": "1"}, True),
        ("{$.a: {same: $.b}}", {}, False),
        ("{$.a: {begins: re}}", {"a": "report"}, True),
        ("{$.a: {ends: [-Ack, -Nak]}}", {"a": "Unlock-Ack"}, True),
        ("{$.a: 1, $.b: 2}", {"a": 1, "b": 3}, False),
        ("[{$.a: 1}, {$.b: 2}]", {"a": 9, "b": 2}, True),
    ],
)
def test_conditions(when: str, document: Any, holds: bool) -> None:
    events = decode(f"messages: [{{events: {{kind: a.b, when: {when}}}}}]", document).events
    assert bool(events) is holds


@pytest.mark.parametrize(
    ("spec", "document", "zone", "expected"),
    [
        ("format: local", "2026-04-10 09:42:25", "Asia/Shanghai", "2026-04-10T09:42:25+08:00"),
        ("format: local", "2026-07-01T12:00:00", "Europe/Berlin", "2026-07-01T12:00:00+02:00"),
        ("format: local", "2026-01-01T12:00:00", "Europe/Berlin", "2026-01-01T12:00:00+01:00"),
        ("format: local", "2026-01-01T12:00:00+05:00", "Europe/Berlin", "2026-01-01T12:00:00+05:00"),
        ("format: rfc3339", "2026-01-01T12:00:00Z", "Asia/Shanghai", "2026-01-01T12:00:00+00:00"),
        ("format: seconds", 1767268800, "Asia/Shanghai", "2026-01-01T12:00:00+00:00"),
        ("format: milliseconds", "1767268800500", "Asia/Shanghai", "2026-01-01T12:00:00.5+00:00"),
        ("format: '%d.%m.%Y %H:%M'", "01.02.2026 03:04", "Asia/Shanghai", "2026-02-01T03:04:00+08:00"),
        ("format: local", "1970-01-01 08:00:00", "Asia/Shanghai", "1970-01-01T00:00:00+00:00"),
        ("format: local", "2038-01-19 11:14:08", "Asia/Shanghai", "2038-01-19T03:14:08+00:00"),
    ],
)
def test_fault_045_times_of_every_form_and_age(spec: str, document: Any, zone: str, expected: str) -> None:
    moment = event(f"time: {{from: $.t, {spec}}}", {"t": document}, zone=zone).time
    assert moment == datetime.fromisoformat(expected).timestamp()


def test_an_hour_that_a_clock_change_skips_or_repeats_is_still_a_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for text in ("2026-03-29 02:30:00", "2026-10-25 02:30:00"):
        moment = event("time: {from: $.t, format: local}", {"t": text}, zone="Europe/Berlin").time
        told = datetime.fromisoformat(text).replace(tzinfo=berlin)
        assert moment in (told.timestamp(), told.replace(fold=1).timestamp()), "the one nearer to the receipt"


@pytest.mark.parametrize("text", ["", "0000-00-00 00:00:00", None, "   "])
def test_fault_045_a_device_without_a_clock_says_no_time(text: str | None) -> None:
    assert event("time: {from: $.t, format: local}", {"t": text}).time is None


@pytest.mark.parametrize(
    ("spec", "document", "told"),
    [
        ("format: local", "2026-02-30 00:00:00", "$.t: expected a time"),
        ("format: local", "NaN", "$.t: expected a time"),
        ("format: rfc3339", "2026-01-01T12:00:00", "$.t: expected a time with its offset"),
        ("format: seconds", "1e20", "$.t: expected a number"),
        ("format: seconds", 10**13, "$.t: expected a time before the year 10000"),
        ("format: local", {"y": 1}, "$.t: expected a text"),
        ("format: '%H:%M'", "25:00", "$.t: expected a time"),
    ],
)
def test_fault_045_a_time_that_is_none_is_refused_or_skipped(spec: str, document: Any, told: str) -> None:
    assert refusal(f"time: {{from: $.t, {spec}}}", {"t": document}).startswith(told)
    assert event(f"time: {{from: $.t, {spec}, bad: skip}}", {"t": document}).time is None


def test_a_standing_state_told_long_after_it_began_is_news() -> None:
    spec = "time: {from: $.t, format: seconds, standing: 60}"
    assert event(spec, {"t": 1000}, received=1059.0).time == 1000
    assert event(spec, {"t": 1000}, received=1061.0).time is None
    assert event(spec, {"t": 5000}, received=1061.0).time == 5000, "a clock ahead is for the gateway to judge"


def test_an_unknown_zone_is_named() -> None:
    assert "no time zone 'Mars/Base'" in refusal(
        "time: {from: $.t, format: local}", {"t": "2026-01-01 00:00:00"}, zone="Mars/Base"
    )


def test_each_item_makes_an_event_and_errors_carry_its_index() -> None:
    field = "{from: item.v, as: number, required: true}"
    body = f"messages: [{{events: {{kind: a.b, each: '$.list[*]', fields: {{x: {field}}}}}}}]"
    found = decode(body, {"list": [{"v": 1}, {"v": "2"}]})
    assert [reading.data["x"] for reading in found.events] == [1, 2]
    assert decode(body, {}).events == [] and decode(body, {"list": None}).events == []
    for document, where in ((["v"], "$.list[0].v"), ([{"v": 1}, {"v": []}], "$.list[1].v"), ([{}], "$.list[0].v")):
        with pytest.raises(Undecodable) as caught:
            decode(body, {"list": document})
        assert caught.value.where == where
    with pytest.raises(Undecodable, match=r"^\$\.list: expected a list"):
        decode(body, {"list": 7})


def test_the_first_message_that_fits_is_read_and_what_fits_none_is_named() -> None:
    body = "messages: [{when: {$.op: a}, events: {kind: k.a}}, {when: {$.op: b}, ignore: not wanted}]"
    assert [reading.kind for reading in decode(body, {"op": "a"}).events] == ["k.a"]
    with pytest.raises(Ignored, match="not wanted"):
        decode(body, {"op": "b"})
    with pytest.raises(Undecodable, match=r"^\$\.op: 'c' is no message this format knows$"):
        decode(body, {"op": "c"})
    with pytest.raises(Undecodable, match=r"^\$\.op: missing$"):
        decode(body, {})
    with pytest.raises(Ignored, match=r"^\$\.op: 'c'"):
        decode(body + "\notherwise: ignore", {"op": "c"})


def test_partial_updates_are_laid_over_what_was_said_before() -> None:
    body = "messages: [{merge: $.p, events: {kind: a.b, fields: {x: shadow.m.x, y: shadow.m.y}}}]"
    state = {"m": {"x": 1, "y": 2}, "n": 3}
    decoded = decode(body, {"p": {"m": {"y": 5}}}, state=state)
    assert decoded.events[0].data == {"x": 1, "y": 5}
    assert decoded.shadow == {"m": {"x": 1, "y": 5}, "n": 3}
    assert state == {"m": {"x": 1, "y": 2}, "n": 3}


def test_a_retained_copy_shows_nobody_alive() -> None:
    body = "messages: [{alive: true}]"
    assert decode(body, {}).availability is True
    assert decode(body, {}, retain=True).availability is None


def test_a_reply_whose_parts_are_missing_is_not_sent() -> None:
    body = "messages: [{replies: [{topic: 'a/{$.x}', payload: {n: '{$.n}'}}]}]"
    assert [reply.payload for reply in decode(body, {"x": 1, "n": 2}).replies] == [b'{"n":2}']
    assert decode(body, {"x": 1}).replies == () and decode(body, {"n": 1}).replies == ()


@given(st.text(max_size=30) | st.floats() | st.integers() | st.booleans() | st.none() | st.lists(st.integers()))
@settings(max_examples=300, deadline=None, database=None)
def test_coercions_give_their_type_or_say_why_not(given_: Any) -> None:
    for coerce, types in ((as_text, str), (as_number, (int, float)), (as_integer, int), (as_boolean, bool)):
        with suppress(ValueError):
            found = coerce(given_)
            assert isinstance(found, types) and found == found, "neither NaN nor another type"
    text_or_none(given_)


@given(st.dictionaries(st.sampled_from("abc"), st.integers() | st.dictionaries(st.sampled_from("abc"), st.integers())))
@settings(max_examples=60, deadline=None, database=None)
def test_merging_twice_is_merging_once(update: dict[str, Any]) -> None:
    before = {"a": {"a": 1}, "b": 2}
    assert merged(merged(before, update), update) == merged(before, update)
    assert before == {"a": {"a": 1}, "b": 2}


@pytest.mark.parametrize(
    ("filter_", "topic", "captures"),
    [
        ("a/{x}/b", "a/1/b", {"x": "1"}),
        ("a/{x}/b", "a/1/c", None),
        ("a/+/#", "a/1/2/3", {}),
        ("a/#", "a", {}),
        ("a/#", "b/1", None),
        ("{x}/{y}", "1/2/3", None),
        ("/a/{x}", "/a/", {"x": ""}),
    ],
)
def test_topic_filters(filter_: str, topic: str, captures: dict[str, str] | None) -> None:
    assert TopicFilter(filter_).match(topic.split("/")) == captures
