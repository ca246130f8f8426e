"""MQTT packets in a stream: however it is cut, the same messages come out; nothing malformed gets through."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.inbox.frames import FrameReader, MalformedFrame, pubacks
from gateway.inbox.messages import InboxMessage


def length(number: int) -> bytes:
    """MQTT's variable length, written from the specification."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)


def publish(
    topic: bytes,
    payload: bytes,
    *,
    mid: int = 1,
    qos: int = 1,
    dup: bool = False,
    retain: bool = False,
    v5: bytes | None = None,
) -> bytes:
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", mid) if qos else b"")
    if v5 is not None:
        body += length(len(v5)) + v5
    body += payload
    return bytes([0x30 | dup << 3 | qos << 1 | retain]) + length(len(body)) + body


def read(data: bytes, *, v5: bool = False) -> tuple[list[InboxMessage], list[tuple[int, bytes]]]:
    return FrameReader(version_5=v5).feed(data, 1.0, 2.0, 3)


def test_a_publish_is_read_with_all_its_flags() -> None:
    (message,), others = read(publish(b"a/b", b"x", mid=0x1234, dup=True, retain=True))
    assert message == InboxMessage("a/b", b"x", 1.0, 2.0, 0x1234, 1, True, True, 3)
    assert others == []


def test_qos_0_has_no_message_id_and_is_marked_irregular() -> None:
    reader = FrameReader(version_5=False)
    (message,), _ = reader.feed(publish(b"a", b"x", qos=0), 0, 0, 0)
    assert (message.mid, message.qos, message.payload) == (0, 0, b"x")
    assert reader.irregular
    reader.feed(publish(b"a", b"x"), 0, 0, 0)
    assert not reader.irregular


def test_properties_of_mqtt_5_are_passed_over() -> None:
    properties = b"\x26\x00\x01k\x00\x01v" * 30
    (message,), _ = read(publish(b"a", b"payload", v5=properties), v5=True)
    assert message.payload == b"payload"
    (bare,), _ = read(publish(b"a", b"", v5=b""), v5=True)
    assert bare.payload == b""


def test_other_packets_are_left_to_paho_in_order() -> None:
    data = b"\x20\x02\x00\x00" + publish(b"a", b"x") + b"\x90\x03\x00\x01\x01" + publish(b"a", b"y", qos=2)
    messages, others = read(data)
    assert [message.payload for message in messages] == [b"x"]
    assert [head for head, _ in others] == [0x20, 0x90, 0x34]
    assert others[1][1] == b"\x00\x01\x01"


def test_a_topic_that_is_not_utf_8_is_carried_as_text_that_can_be_stored() -> None:
    (message,), _ = read(publish(b"a/\xff/b", b"x"))
    assert message.topic == "a/\ufffd/b"
    message.topic.encode()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=300), st.integers(1, 65_535), st.integers(0, 1)), min_size=1, max_size=8),
    st.lists(st.integers(1, 200), max_size=40),
    st.booleans(),
)
def test_however_the_stream_is_cut_the_same_messages_come_out(
    sent: list[tuple[bytes, int, int]], cuts: list[int], v5: bool
) -> None:
    stream = b"".join(
        publish(b"some/topic", payload, mid=mid, qos=qos, v5=b"" if v5 else None) + b"\xd0\x00"
        for payload, mid, qos in sent
    )
    reader = FrameReader(version_5=v5)
    messages, others = [], []
    while stream:
        cut = cuts.pop() if cuts else len(stream)
        got, rest = reader.feed(stream[:cut], 0.0, 0.0, 0)
        messages += got
        others += rest
        stream = stream[cut:]
    assert [(m.payload, m.mid, m.qos) for m in messages] == [(p, mid if qos else 0, qos) for p, mid, qos in sent]
    assert others == [(0xD0, b"")] * len(sent)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_fault_072_arbitrary_bytes_are_read_or_refused_and_never_crash(data: bytes, v5: bool) -> None:
    try:
        messages, _ = read(data, v5=v5)
    except MalformedFrame:
        return
    assert all(len(message.payload) <= len(data) for message in messages)


@pytest.mark.parametrize(
    ("data", "v5"),
    [
        (b"\x32\x00", False),
        (b"\x32\x01\x00", False),
        (b"\x32\x05\x00\x09abc", False),
        (b"\x32\x04\x00\x01a\x00", False),
        (b"\x32\x05\x00\x01a\x00\x01", True),
        (b"\x32\x07\x00\x01a\x00\x01\x09x", True),
        (b"\x32\xff\xff\xff\xff\x01", False),
    ],
)
def test_a_publish_shorter_than_its_parts_is_refused(data: bytes, v5: bool) -> None:
    with pytest.raises(MalformedFrame):
        read(data, v5=v5)


def test_a_large_message_in_small_pieces_is_joined_once() -> None:
    payload = bytes(range(256)) * 4096
    data = publish(b"big", payload)
    reader = FrameReader(version_5=False)
    got: list[InboxMessage] = []
    for at in range(0, len(data), 1400):
        got += reader.feed(data[at : at + 1400], 0.0, 0.0, 0)[0]
    assert [message.payload == payload for message in got] == [True]


@given(st.lists(st.integers(1, 65_535), max_size=50))
def test_pubacks_are_what_the_specification_says(mids: list[int]) -> None:
    assert pubacks(mids) == b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in mids)
