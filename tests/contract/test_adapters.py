"""What every adapter must hold, whoever wrote it. A new row in `adapters.BUILT_IN` is tested without further ado."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import BUILT_IN, load_adapters
from adapters.trial import TrialContext
from gateway.catalogue import load_catalogue
from gateway.contract import Adapter, Commands, Decoded, Pushes
from gateway.errors import Ignored, Invalid, Undecodable
from gateway.model.command import Command
from gateway.model.place import Device
from tests.adapters.cases import ADAPTERS, cases, expected, outcome, payload
from tests.adapters.corpus import json_case, large, malformed, wrong_types

NAMES = [name for name, _ in BUILT_IN]
CATALOGUE = load_catalogue()
PLACEHOLDER = re.compile(r"\{(\w+)\}")
WHERE = re.compile(r"^(\$|byte \d+|topic$|payload$|settings\.|value$|replay$|sequence$|[a-z_.]+$)")
FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)

ALL = [pytest.param(name, case, id=f"{name}: {case['name']}") for name in NAMES for case in cases(name)]
every_adapter = pytest.mark.parametrize("name", NAMES)


def context(case: dict[str, Any]) -> TrialContext:
    return TrialContext(zone="Asia/Shanghai", received=1_772_327_730.0, settings=case.get("settings") or {})


def attempt(adapter: Adapter, topic: str, data: bytes, ctx: TrialContext) -> Decoded | Undecodable | Ignored:
    """What decoding gives; anything but the two allowed refusals is a failure that shows the message."""
    try:
        return adapter.decode(topic, data, ctx)
    except (Undecodable, Ignored) as refusal:
        return refusal
    except BaseException as error:
        raise AssertionError(f"{topic} {data[:300]!r}: {type(error).__name__}: {error}") from error


def assert_names_the_part(refusal: object, told: str) -> None:
    assert isinstance(refusal, Undecodable), f"{told}: expected a refusal, got {refusal!r}"
    assert WHERE.match(refusal.where), f"{told}: {refusal.where!r} names no part of the message"
    assert 3 <= len(refusal.reason) <= 400, f"{told}: {refusal.reason!r}"


def assert_fits(name: str, decoded: Decoded, told: str) -> None:
    for reading in decoded.events:
        misfit = CATALOGUE.misfit(reading.kind, reading.data)
        assert misfit is None, f"{told}: {reading.kind}.{misfit.field}: {misfit.reason}"
        assert reading.time is None or isinstance(reading.time, float | int), told
        assert isinstance(reading.id, str) and isinstance(reading.replay, bool), told
    assert decoded.device and len(decoded.device) <= 200, told


# The manifest.


@every_adapter
def test_manifest_says_who_it_is_in_both_languages(name: str) -> None:
    manifest = ADAPTERS[name].manifest
    assert manifest.name == name
    assert manifest.title.get("en") and manifest.title.get("zh")
    assert manifest.topics and manifest.publish


@every_adapter
def test_manifest_kinds_are_in_the_catalogue(name: str) -> None:
    for kind in ADAPTERS[name].manifest.kinds:
        assert kind == "*" or CATALOGUE.get(kind), f"{kind}: did you mean {CATALOGUE.suggest(kind)}?"


@every_adapter
def test_manifest_filters_are_sound_and_none_is_part_of_another(name: str) -> None:
    topics = ADAPTERS[name].manifest.topics
    for topic in topics:
        levels = topic.split("/")
        assert "#" not in levels[:-1] and not PLACEHOLDER.search(topic), topic
        assert all(level in ("+", "#") or not set(level) & set("+#") for level in levels), topic
    assert len(set(topics)) == len(topics)


@every_adapter
def test_manifest_permissions_use_known_placeholders_and_name_the_device(name: str) -> None:
    manifest = ADAPTERS[name].manifest
    for topic in (*manifest.publish, *manifest.subscribe):
        assert set(PLACEHOLDER.findall(topic)) <= {"device", "site", "external_id"}, topic
        assert "#" not in topic, f"{topic}: a device needs no open end"


# Decoding.


@pytest.mark.parametrize(("name", "case"), ALL)
def test_fixture_gives_the_expected_result(name: str, case: dict[str, Any]) -> None:
    assert outcome(name, case) == expected(name)[case["name"]]


@every_adapter
def test_expected_results_and_fixtures_belong_together(name: str) -> None:
    names = [case["name"] for case in cases(name)]
    assert len(set(names)) == len(names)
    assert set(expected(name)) == set(names)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_fixture_fits_the_catalogue_and_the_manifest(name: str, case: dict[str, Any]) -> None:
    adapter = ADAPTERS[name]
    decoded = attempt(adapter, case["topic"], payload(case), context(case))
    if isinstance(decoded, Undecodable):
        assert_names_the_part(decoded, case["name"])
    elif isinstance(decoded, Decoded):
        if name == "cloudevents":
            return
        assert_fits(name, decoded, case["name"])
        assert {reading.kind for reading in decoded.events} <= set(adapter.manifest.kinds)


@every_adapter
def test_decoding_is_pure_and_the_same_at_any_time_and_in_any_order(name: str) -> None:
    fresh = load_adapters()[name]
    found = cases(name)

    def all_of(adapter: Adapter, order: list[dict[str, Any]]) -> dict[str, str]:
        return {c["name"]: repr(attempt(adapter, c["topic"], payload(c), context(c))) for c in order}

    first = all_of(ADAPTERS[name], found)
    assert all_of(ADAPTERS[name], list(reversed(found))) == first
    assert all_of(fresh, found) == first


@every_adapter
def test_decoding_touches_neither_the_settings_nor_the_shadow(name: str) -> None:
    for case in cases(name):
        ctx = context(case)
        before = msgspec.json.encode((ctx.settings, ctx.state))
        attempt(ADAPTERS[name], case["topic"], payload(case), ctx)
        assert msgspec.json.encode((ctx.settings, ctx.state)) == before


# Malformed input.


@every_adapter
def test_fault_068_every_malformed_payload_is_refused_quickly_with_its_part(name: str) -> None:
    adapter, case = ADAPTERS[name], json_case(name)
    slow: list[str] = []
    for told, data in malformed(name):
        assert_names_the_part(attempt(adapter, case["topic"], data, context(case)), f"{name}: {told}")
        best = min(_seconds(adapter, case["topic"], data, context(case)) for _ in range(5))
        if best > 0.002:
            slow.append(f"{told}: {best * 1000:.2f} ms")
    assert not slow, f"{name} is slow to refuse: {slow}"


@every_adapter
def test_fault_068_a_megabyte_of_anything_is_refused_within_half_a_second(name: str) -> None:
    adapter, case = ADAPTERS[name], json_case(name)
    for told, data in large():
        assert_names_the_part(attempt(adapter, case["topic"], data, context(case)), f"{name}: {told}")
        best = min(_seconds(adapter, case["topic"], data, context(case)) for _ in range(2))
        assert best < 0.5, f"{name}: {told} took {best * 1000:.0f} ms"


@pytest.mark.parametrize(("name", "case"), [p for p in ALL if "json" in p.values[1]])  # type: ignore[operator]
def test_fault_068_a_value_of_the_wrong_type_anywhere_is_refused_by_its_path_or_read(
    name: str, case: dict[str, Any]
) -> None:
    adapter, ctx = ADAPTERS[name], context(case)
    for told, data in wrong_types(case["json"]):
        result = attempt(adapter, case["topic"], data, ctx)
        if isinstance(result, Undecodable):
            assert_names_the_part(result, told)
        elif isinstance(result, Decoded) and name != "cloudevents":
            assert_fits(name, result, told)


@every_adapter
@given(data=st.data())
@FUZZ
def test_fault_068_no_bytes_at_all_make_an_adapter_fail(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases(name)))
    attempt(ADAPTERS[name], case["topic"], data.draw(st.binary(max_size=120)), context(case))


@every_adapter
@given(data=st.data())
@FUZZ
def test_fault_068_no_damage_to_a_good_message_makes_an_adapter_fail(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases(name)))
    good = payload(case)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(good)))
        good = good[:at] + data.draw(st.binary(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    result = attempt(ADAPTERS[name], case["topic"], good, context(case))
    if isinstance(result, Undecodable):
        assert_names_the_part(result, repr(good))


@every_adapter
@given(topic=st.text(max_size=60), data=st.binary(max_size=20))
@FUZZ
def test_no_topic_at_all_makes_an_adapter_fail(name: str, topic: str, data: bytes) -> None:
    attempt(ADAPTERS[name], topic, data, TrialContext())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@every_adapter
@given(data=st.data())
@FUZZ
def test_fault_068_no_json_document_makes_an_adapter_fail(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases(name)))
    document = data.draw(JSON_VALUES)
    if isinstance(case.get("json"), dict) and isinstance(document, dict):
        document = {**case["json"], **document}
    try:
        body = msgspec.json.encode(document)
    except (OverflowError, UnicodeEncodeError):
        return
    result = attempt(ADAPTERS[name], case["topic"], body, context(case))
    if isinstance(result, Undecodable):
        assert_names_the_part(result, repr(body))


# Speed.


@pytest.mark.parametrize(("name", "case"), ALL)
def test_fixture_is_read_within_a_third_of_a_millisecond(name: str, case: dict[str, Any]) -> None:
    data, ctx = payload(case), context(case)
    best = min(_seconds(ADAPTERS[name], case["topic"], data, ctx) for _ in range(25))
    assert best < 0.000333, f"{best * 1e6:.0f} microseconds"


def _seconds(adapter: Adapter, topic: str, data: bytes, ctx: TrialContext) -> float:
    """Of processor time: the tests share their machine."""
    start = time.thread_time()
    with suppress(Undecodable, Ignored):
        adapter.decode(topic, data, ctx)
    return time.thread_time() - start


# Commands and pushes.

#: Words that need arguments.
ARGS: dict[str, dict[str, object]] = {
    "list_put": {"value": "A1", "name": "Li", "from": "2026-03-01 00:00:00", "until": "2099-12-31 23:59:59"},
    "list_remove": {"value": "A1"},
}
DEVICE = Device(id="d-1", site="garden", adapter="x", external_id="202603010007", settings={"unit": "unit-1"})


@every_adapter
def test_every_command_is_carried_on_a_topic_that_the_device_may_read(name: str) -> None:
    adapter = ADAPTERS[name]
    assert isinstance(adapter, Commands) or not adapter.manifest.commands
    allowed = [
        topic.format(device=DEVICE.id, site=DEVICE.site, external_id=DEVICE.external_id)
        for topic in adapter.manifest.subscribe
    ]
    if name == "dlt645":
        allowed = ["dtu/unit-1/down"]  # the unit before the meter has the credential
    for word in adapter.manifest.commands:
        assert isinstance(adapter, Commands)
        said = Command(id="cmd-1", site="garden", device="d-1", name=word, args=ARGS.get(word, {}), sent_at=1.0)
        packets = adapter.encode(said, DEVICE)
        assert packets, word
        for packet in packets:
            assert any(_fits(pattern, packet.topic) for pattern in allowed), f"{packet.topic} is none of {allowed}"
            assert packet.payload


def _fits(pattern: str, topic: str) -> bool:
    wanted, levels = pattern.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(w in ("+", level) for w, level in zip(wanted, levels, strict=True))


@every_adapter
def test_a_command_that_the_format_lacks_is_refused_by_name(name: str) -> None:
    adapter = ADAPTERS[name]
    if name == "cloudevents":
        pytest.skip("the native format carries every word")
    assert isinstance(adapter, Commands)
    with pytest.raises(Invalid, match="levitate"):
        adapter.encode(Command(id="cmd-1", site="garden", device="d-1", name="levitate"), DEVICE)


@every_adapter
def test_http_replies_are_made_for_every_outcome(name: str) -> None:
    adapter = ADAPTERS[name]
    if isinstance(adapter, Pushes):
        for allowed in (None, True, False):
            kind, body = adapter.http_reply(Decoded("x"), allowed)
            assert kind and isinstance(body, bytes)
