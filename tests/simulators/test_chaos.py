"""The bad network: same seed, same stream; nothing is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.chaos import Chaos, ChaosOptions, chaos_options, parse_chaos
from simulators.wire import Message
from tests.simulators.helpers import START

ALL = ChaosOptions(duplicate=0.3, reorder=0.3, delay=0.4, replay=0.2, retained=0.1)


def stream(options: ChaosOptions, seed: int, count: int = 200) -> list[tuple[float, Message]]:
    chaos = Chaos(options, seed)
    out: list[tuple[float, Message]] = []
    for index in range(count + 100):
        wall = START + index * 0.1
        if index < count:
            chaos.push(Message(f"t/{index % 3}", b"%d" % index, f"d{index % 3}", str(index)), wall)
        out += [(wall, message) for message in chaos.release(wall)]
    assert chaos.next_due() == float("inf"), "everything has left"
    return out


def test_same_seed_gives_the_same_stream_and_another_seed_another() -> None:
    assert stream(ALL, 7) == stream(ALL, 7)
    assert stream(ALL, 7) != stream(ALL, 8)


def test_without_options_every_message_leaves_once_at_once_and_in_order() -> None:
    out = stream(ChaosOptions(), 1)
    assert [message.ref for _, message in out] == [str(index) for index in range(200)]
    assert all(wall == START + index * 0.1 for index, (wall, _) in enumerate(out))


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    st.fixed_dictionaries({name: st.floats(0, 1) for name in ("duplicate", "reorder", "replay", "retained", "delay")}),
)
def test_nothing_is_ever_lost_or_made_up(seed: int, values: dict[str, float]) -> None:
    out = Counter(message.payload for _, message in stream(chaos_options(values), seed, 60))
    assert set(out) == {b"%d" % index for index in range(60)}


def test_duplicates_reorder_and_replay_do_what_they_say() -> None:
    refs = [message.ref for _, message in stream(ChaosOptions(duplicate=0.5), 3)]
    assert 260 < len(refs) < 340
    refs = [message.ref for _, message in stream(ChaosOptions(reorder=0.5), 3)]
    assert refs != sorted(refs, key=int) and len(refs) == 200
    retained = [message for _, message in stream(ChaosOptions(retained=0.5), 3) if message.retain]
    assert 60 < len(retained) < 140


def test_delay_keeps_each_device_in_order() -> None:
    out = stream(ChaosOptions(delay=1.0), 5)
    for device in ("d0", "d1", "d2"):
        refs = [int(message.ref) for _, message in out if message.device == device]
        assert refs == sorted(refs)


def test_retained_messages_such_as_availability_are_left_alone() -> None:
    chaos = Chaos(ChaosOptions(duplicate=1.0, delay=5.0, replay=1.0), 1)
    will = Message("a/availability", b"online", "d", retain=True)
    chaos.push(will, START)
    assert chaos.release(START) == [will] and chaos.release(START + 100) == []


def test_skew_is_constant_per_device_and_within_bounds() -> None:
    chaos = Chaos(ChaosOptions(skew=30.0), 1)
    values = {name: chaos.skew(name) for name in ("a", "b", "c")}
    assert len(set(values.values())) == 3 and all(-30 <= value <= 30 for value in values.values())
    assert values == {name: Chaos(ChaosOptions(skew=30.0), 1).skew(name) for name in values}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("duplicate=2", "duplicate=2 is out of range: 0 to 1"),
        ("delay=-1", "delay=-1 is out of range: 0 or more"),
        ("dupliacte=0.1", "no chaos option 'dupliacte'; there is duplicate"),
        ("duplicate", "'duplicate' is not NAME=NUMBER"),
    ],
)
def test_wrong_chaos_option_is_named(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem.replace("(", r"\(")):
        chaos_options(parse_chaos(text))
