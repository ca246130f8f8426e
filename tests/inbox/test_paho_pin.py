"""What `BufferedClient` takes for granted of paho 2.2. When one of these fails after an update, read paho's source
again before changing the test: a wrong assumption here loses messages, it does not raise."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt import __version__ as paho_version
from paho.mqtt.enums import CallbackAPIVersion

from gateway.inbox.buffered import BufferedClient, Hooks
from gateway.inbox.frames import FrameReader, pubacks
from tests.support.brokers import PATIENCE, wait_until

CONNACK = b"\x20\x02\x00\x00"
PUBLISH = b"\x32\x08\x00\x01t\x00\x01abc"


class ScriptedBroker:
    """Accepts one connection after another, answers CONNECT, sends what it is told and keeps what it gets."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.received: list[bytes] = []
        self.connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name="scripted-broker", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.received.append(b"")
            self.connections.append(connection)
            with contextlib.suppress(OSError):
                while data := connection.recv(65_536):
                    if not self.received[-1]:
                        connection.sendall(CONNACK)
                    self.received[-1] += data
                    if data == b"\xc0\x00":
                        connection.sendall(b"\xd0\x00")

    def after_connect(self, connection: int = -1) -> bytes:
        """What came after the CONNECT packet."""
        data = self.received[connection]
        return data[2 + data[1] :]

    def close(self) -> None:
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self._thread.join(PATIENCE)


@pytest.fixture
def scripted() -> Iterator[ScriptedBroker]:
    broker = ScriptedBroker()
    yield broker
    broker.close()


class Owner:
    """Hooks that keep a diary."""

    def __init__(self) -> None:
        self.reader = FrameReader(version_5=False)
        self.messages: list[Any] = []
        self.diary: list[str] = []
        self.connected = threading.Event()
        self.client = BufferedClient(CallbackAPIVersion.VERSION2, client_id="pin", clean_session=False, manual_ack=True)
        self.client.hooks = Hooks(
            bytes_came=self.bytes_came,
            tick=lambda: None,
            new_generation=lambda: self.diary.append(f"generation, {len(self.client._out_packet)} packets queued"),
            unreachable=lambda error: self.diary.append(f"unreachable: {error}"),
            wait_before_reconnect=lambda: time.sleep(0.01),
            failed=lambda where, error: self.diary.append(f"{where} failed: {error}"),
            id_made=lambda mid: self.diary.append(f"id {mid}"),
        )
        self.client.on_connect = lambda *_: self.connected.set()

    def bytes_came(self, data: bytes) -> list[tuple[int, bytes]]:
        messages, others = self.reader.feed(data, 0.0, 0.0, 0)
        self.messages += messages
        return others

    def start(self, port: int, keepalive: int = 60) -> None:
        self.client.connect_async("127.0.0.1", port, keepalive)
        self.client.loop_start()
        assert self.connected.wait(PATIENCE), self.diary

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def owner() -> Iterator[Owner]:
    made = Owner()
    yield made
    made.stop()


def count_reads(client: paho.Client, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    reads: list[int] = []
    original = client._sock_recv

    def counting(size: int) -> bytes:
        reads.append(size)
        return original(size)

    monkeypatch.setattr(client, "_sock_recv", counting)
    return reads


def test_the_version_is_the_one_that_was_read() -> None:
    assert paho_version.startswith("2.2."), f"paho {paho_version}: read docs/decisions/0002-paho-buffered.md first"


def test_a_burst_costs_a_few_reads_and_not_four_for_each_message(
    owner: Owner, scripted: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.start(scripted.port)
    reads = count_reads(owner.client, monkeypatch)
    scripted.connections[0].sendall(PUBLISH * 5_000)
    wait_until(lambda: len(owner.messages) == 5_000, what="all messages")
    assert len(reads) < 200, f"{len(reads)} reads for 5,000 messages"


def test_paho_itself_still_reads_four_times_for_each_message(
    scripted: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise our subclass has lost its reason and should go."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="plain")
    got: list[object] = []
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_message = lambda _c, _u, message: got.append(message)
    reads = count_reads(client, monkeypatch)
    client.connect("127.0.0.1", scripted.port)
    client.loop_start()
    assert connected.wait(PATIENCE)
    scripted.connections[0].sendall(PUBLISH * 500)
    wait_until(lambda: len(got) == 500, what="all messages")
    client.disconnect()
    client.loop_stop()
    assert len(reads) >= 1_500


def test_acknowledgements_go_out_whole_and_in_order_with_the_rest(owner: Owner, scripted: ScriptedBroker) -> None:
    owner.start(scripted.port)
    mids = list(range(1, 20_001))
    owner.client.send_acknowledgements(pubacks(mids))
    owner.client.publish("t", b"after", 0)
    expected = b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in mids) + b"\x30\x08\x00\x01tafter"
    wait_until(lambda: len(scripted.after_connect()) >= len(expected), what="the bytes to arrive")
    assert scripted.after_connect() == expected


def test_nothing_queued_for_an_old_connection_reaches_the_new_one(
    owner: Owner, scripted: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order matters: the generation ends first, then paho empties its queue, then it connects."""
    owner.start(scripted.port)
    owner.client.loop_stop()
    monkeypatch.setattr(owner.client, "loop_write", lambda: 0)  # nobody writes any more
    owner.client.send_acknowledgements(pubacks([1, 2, 3]))
    monkeypatch.undo()
    owner.diary.clear()
    owner.connected.clear()
    owner.client.reconnect()
    owner.client.loop_start()
    assert owner.connected.wait(PATIENCE)
    assert owner.diary == ["generation, 1 packets queued"]
    wait_until(lambda: len(scripted.received) == 2, what="the second connection")
    assert scripted.after_connect() == b"", "an old acknowledgement reached the new connection"


def test_the_id_is_made_before_the_packet_is_queued(owner: Owner, scripted: ScriptedBroker) -> None:
    owner.start(scripted.port)
    queued: list[int] = []
    owner.client.hooks = Hooks(
        **{**owner.client.hooks.__dict__, "id_made": lambda mid: queued.append(len(owner.client._out_messages))}
    )
    owner.client.publish("t", b"x", 1)
    assert queued == [0]


def test_a_lost_connection_ends_the_generation_before_the_next_bytes(owner: Owner, scripted: ScriptedBroker) -> None:
    owner.start(scripted.port)
    owner.connected.clear()
    scripted.connections[0].shutdown(socket.SHUT_RDWR)
    assert owner.connected.wait(PATIENCE)
    assert [line.split(",")[0] for line in owner.diary] == ["generation", "generation"]


def test_malformed_bytes_end_the_connection_and_not_the_thread(owner: Owner, scripted: ScriptedBroker) -> None:
    owner.start(scripted.port)
    owner.connected.clear()
    scripted.connections[0].sendall(b"\x32\x01\x00")
    owner.reader = FrameReader(version_5=False)
    assert owner.connected.wait(PATIENCE)
    assert any(line.startswith("reading failed") for line in owner.diary), owner.diary
    assert not owner.client.network_thread_ended()


def test_what_we_read_counts_for_the_keepalive(owner: Owner, scripted: ScriptedBroker) -> None:
    owner.start(scripted.port, keepalive=1)
    end = time.monotonic() + 2.5
    wait_until(lambda: time.monotonic() > end, what="two and a half keepalives")
    assert len(scripted.received) == 1, "the connection was made again"
    assert b"\xc0\x00" in scripted.after_connect(), "no PINGREQ"


def test_the_end_of_the_thread_is_seen(owner: Owner, scripted: ScriptedBroker) -> None:
    owner.start(scripted.port)
    assert not owner.client.network_thread_ended()
    owner.client.disconnect()
    wait_until(owner.client.network_thread_ended, what="the thread to end")
