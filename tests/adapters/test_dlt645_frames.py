"""Frames are found by their length and proved by their sum."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dlt645.frames import MOST_DAMAGES, build, find
from adapters.dlt645.items import ITEMS_2007, Item, error_text, values_of

ADDRESSES = st.text("0123456789", min_size=12, max_size=12) | st.just("681668166816")
FUZZ = settings(max_examples=150, deadline=None, database=None)


@given(st.lists(st.tuples(ADDRESSES, st.binary(max_size=30), st.integers(0, 4)), min_size=1, max_size=4))
@FUZZ
def test_frames_in_a_row_are_all_found_whatever_bytes_they_carry(frames: list[tuple[str, bytes, int]]) -> None:
    stream = b"".join(build(address, 0x91, data, wake_up) for address, data, wake_up in frames)
    found, damages = find(stream)
    assert [(f.address, f.data) for f in found] == [(address, data) for address, data, _ in frames]
    assert damages == []


@given(ADDRESSES, st.binary(max_size=20), st.integers(0, 200), st.integers(1, 255))
@FUZZ
def test_one_changed_byte_never_yields_other_values(address: str, data: bytes, at: int, change: int) -> None:
    wire = bytearray(build(address, 0x91, data, 0))
    wire[at % len(wire)] ^= change
    found, damages = find(bytes(wire))
    assert found == [] and damages


def test_after_damage_the_next_frame_is_found() -> None:
    good = build("202603010007", 0x91, b"\x00\x00\x01\x00\x12\x34\x56\x78")
    found, damages = find(b"\x00\x68" + good[:9] + good)
    assert [frame.address for frame in found] == ["202603010007"]
    assert damages[0].offset == 0 and damages[0].reason == "expected 68 or FE, found 00"


def test_a_hopeless_line_is_given_up() -> None:
    _, damages = find(b"\x68" * 100_000)
    assert len(damages) == MOST_DAMAGES + 1 and "not looked at" in damages[-1].reason


@given(st.binary(max_size=300))
@FUZZ
def test_no_bytes_make_the_search_fail(stream: bytes) -> None:
    found, damages = find(stream)
    assert all(0 <= damage.offset <= len(stream) for damage in damages)
    assert all(frame.offset + 12 + len(frame.data) <= len(stream) for frame in found)


def test_every_item_of_the_table_reads_what_its_row_says() -> None:
    for identifier, items in ITEMS_2007.items():
        data = b"".join(bytes([0x01] * item.size) for item in items)
        fields = values_of(identifier, items, data)
        assert set(fields) == {item.field for item in items}, f"{identifier:08X}"
        for item in items:
            assert fields[item.field] == pytest.approx(int("01" * item.size) / 10**item.decimals * item.factor)


def test_a_negative_value_has_its_sign_in_the_highest_bit() -> None:
    item = Item("power_w", 3, 4, 1000.0, True)
    assert values_of(0x02030000, (item,), bytes.fromhex("452381")) == {"power_w": -12345 / 10 - 0.0}


def test_error_bits_are_put_into_words() -> None:
    assert error_text(0x02) == "no such data (error byte 02)"
    assert error_text(0x44) == "password wrong or not authorised, too many tariffs (error byte 44)"
    assert error_text(0) == "no reason (error byte 00)"
