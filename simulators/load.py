"""A load of native events at QoS 1: one thread, raw sockets, packets spliced from templates, a window in flight.

`python -m simulators.load --help`. Faster than any receiver, so that the receiver is what is measured.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import ssl
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulators.links import Address, parse_url
from simulators.packets import CONNACK_LENGTH, DISCONNECT, PUBACK_HEAD, REFUSALS, connect, publish_head
from simulators.wire import rfc3339, to_json

BATCH = 128
HIGHEST_PACKET_ID = 65_535
SEND_BUFFER = 1 << 18
STALLED_S = 30.0
KINDS = ("meter.reading", "elevator.status")
EXAMPLE = """example:
  python -m simulators.load --url mqtt://127.0.0.1:1883 --username bench --password secret --messages 100000
  python -m simulators.load --messages 30000 --rate 500 --alarm-every 100 --marks marks.jsonl
"""


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """What to send. `rate` is messages a second over all connections, 0 for as fast as the window lets it.

    Every `alarm_every`-th message (0: none) is a reading of 300 V instead of 230 V, or a lift stopped between floors
    with people in it; its id and time of sending are in `LoadReport.marks`. Ids are `{run}-{number}`.
    """

    address: Address
    messages: int = 10_000
    devices: int = 100
    rate: float = 0.0
    connections: int = 1
    window: int = 1_000
    kind: str = "meter.reading"
    site: str = "bench"
    prefix: str = "bench"
    run: str = ""
    alarm_every: int = 0


@dataclass(slots=True)
class LoadReport:
    """What happened. Latencies are publish to PUBACK, in milliseconds."""

    published: int = 0
    pubacked: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    marks: list[dict[str, object]] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """The report for `--json`."""
        ordered = sorted(self.latencies)
        rate = round(self.pubacked / self.seconds, 1) if self.seconds else 0.0
        quantiles = {f"p{name}_ms": _quantile(ordered, share) for name, share in (("50", 0.5), ("99", 0.99))}
        return {
            "published": self.published,
            "pubacked": self.pubacked,
            "seconds": round(self.seconds, 3),
            "messages_per_s": rate,
            "puback_latency": {**quantiles, "max_ms": _quantile(ordered, 1.0)},
        }


class Templates:
    """Packets of all bench devices: constant parts made once, number and time spliced in. All lengths are fixed."""

    def __init__(self, options: LoadOptions) -> None:
        self.run = options.run
        self._parts: list[tuple[bytes, bytes, bytes, bytes, bytes]] = []
        stamp = rfc3339(0.0)
        for index in range(options.devices):
            device = device_id(options.prefix, index)
            topic = f"gatehouse/v1/{options.site}/{device}/events"
            calm, alarming = (_data(options.kind, index, alarming) for alarming in (False, True))
            opening = f'{{"specversion":"1.0","id":"{self.run}-'.encode()
            middle = f'","source":"{device}","type":"{options.kind}","time":"'.encode()
            size = len(opening) + 10 + len(middle) + len(stamp) + len(calm)
            self._parts.append((publish_head(topic, size), opening, middle, calm, alarming))

    def packet(self, number: int, packet_id: bytes, stamp: bytes, alarming: bool) -> bytes:
        """The PUBLISH with running `number` of the device whose turn it is."""
        head, opening, middle, calm, loud = self._parts[number % len(self._parts)]
        return b"".join((head, packet_id, opening, b"%010d" % number, middle, stamp, loud if alarming else calm))


def device_id(prefix: str, index: int) -> str:
    """The id of a bench device: `bench-00042`."""
    return f"{prefix}-{index:05d}"


def _data(kind: str, index: int, alarming: bool) -> bytes:
    """The end of the payload, from the closing quote of the time on; calm and alarming are of the same length."""
    if kind == "meter.reading":
        data: dict[str, object] = {
            "utility": "electricity",
            "energy_kwh": 1000.0 + index,
            "power_w": 412.5,
            "voltage_v": 300.5 if alarming else 230.5,
            "current_a": 1.793,
        }
    else:
        data = {
            "floor": 7,
            "door": "closed",
            "motion": "stopped",
            "in_door_zone": 0 if alarming else 1,
            "occupied": alarming,
            "load_kg": 136.5,
            "speed_mps": 0.5,
            "machine_room_c": 24.5,
        }
    text = to_json(data).replace(b'"in_door_zone":0', b'"in_door_zone":false').replace(b'zone":1', b'zone":true ')
    text = text.replace(b'"occupied":true', b'"occupied":true ')
    return b'","data":' + text + b"}"


class _Connection:
    """One socket with its window: which packet ids are in flight since when."""

    def __init__(self, name: str, options: LoadOptions) -> None:
        self.sock = _open(name, options.address)
        self.sent_at = [0.0] * (HIGHEST_PACKET_ID + 1)
        self.in_flight = 0
        self.unsent = memoryview(b"")
        self.received = b""
        self.next_id = 1


class Load:
    """Publishes everything and waits for the last PUBACK. Raises `ConnectionError` where the broker will not."""

    def __init__(self, options: LoadOptions) -> None:
        if options.kind not in KINDS:
            raise ValueError(f"no kind {options.kind!r}; there is {', '.join(KINDS)}")
        if not 1 <= options.window <= HIGHEST_PACKET_ID - 1:
            raise ValueError(f"--window must be 1 to {HIGHEST_PACKET_ID - 1}")
        self._options = options
        self._templates = Templates(options)
        self._report = LoadReport()
        self._number = 0

    def run(self) -> LoadReport:
        """Sends the load."""
        options, report = self._options, self._report
        name = f"{options.prefix}-load-{self._templates.run}"
        connections = [_Connection(f"{name}-{index}", options) for index in range(options.connections)]
        selector = selectors.DefaultSelector()
        for connection in connections:
            selector.register(connection.sock, selectors.EVENT_READ, connection)
        start = last = time.perf_counter()
        try:
            while report.pubacked < options.messages:
                now = time.perf_counter()
                for connection in connections:
                    self._fill(connection, now, now - start)
                before = report.pubacked
                for key, _ in selector.select(self._pause(connections)):
                    self._drain(key.data)
                if report.pubacked > before or (self._number < options.messages and options.rate):
                    last = now
                elif now - last > STALLED_S:
                    raise ConnectionError(f"no acknowledgement for {STALLED_S:.0f} s; {report.pubacked} so far")
            report.seconds = time.perf_counter() - start
        finally:
            selector.close()
            for connection in connections:
                _leave(connection.sock)
        return report

    def _pause(self, connections: Sequence[_Connection]) -> float:
        """How long to wait for acknowledgements: not at all while there is room in a window and more to send."""
        if any(connection.unsent for connection in connections) or self._options.rate:
            return 0.0005
        room = any(connection.in_flight < self._options.window for connection in connections)
        return 0.0 if room and self._number < self._options.messages else 0.01

    def _fill(self, connection: _Connection, now: float, elapsed: float) -> None:
        """Puts as many packets into the socket as window and rate allow."""
        options = self._options
        if connection.unsent and not self._flush(connection):
            return
        allowed = options.messages if not options.rate else min(options.messages, int(elapsed * options.rate) + 1)
        count = min(BATCH, allowed - self._number, options.window - connection.in_flight)
        if count <= 0:
            return
        wall = time.time()
        stamp = rfc3339(wall).encode()
        packets: list[bytes] = []
        for _ in range(count):
            packet_id = connection.next_id
            if connection.sent_at[packet_id]:
                break
            connection.next_id = packet_id % HIGHEST_PACKET_ID + 1
            connection.sent_at[packet_id] = now
            alarming = options.alarm_every > 0 and self._number % options.alarm_every == options.alarm_every - 1
            if alarming:
                self._mark(wall)
            packets.append(self._templates.packet(self._number, packet_id.to_bytes(2, "big"), stamp, alarming))
            self._number += 1
        connection.in_flight += len(packets)
        self._report.published += len(packets)
        connection.unsent = memoryview(b"".join(packets))
        self._flush(connection)

    def _mark(self, wall: float) -> None:
        options = self._options
        device = device_id(options.prefix, self._number % options.devices)
        self._report.marks.append({"id": f"{self._templates.run}-{self._number:010d}", "device": device, "sent": wall})

    def _flush(self, connection: _Connection) -> bool:
        """Sends what is pending; False where the socket takes no more now."""
        try:
            sent = connection.sock.send(connection.unsent)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return False
        connection.unsent = connection.unsent[sent:]
        return not connection.unsent

    def _drain(self, connection: _Connection) -> None:
        """Reads PUBACKs. Every packet a broker sends to a mere publisher is four bytes long, PINGRESP aside."""
        try:
            data = connection.sock.recv(65_536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        if not data:
            raise ConnectionError(f"the broker closed the connection after {self._report.pubacked} acknowledgements")
        now = time.perf_counter()
        data = connection.received + data
        whole = len(data) - len(data) % 4
        connection.received = data[whole:]
        latencies, sent_at = self._report.latencies, connection.sent_at
        count = 0
        for head, packet_id in struct.iter_unpack(">HH", data[:whole]):
            if head != PUBACK_HEAD:
                raise ConnectionError(f"the broker sent {head:04x} instead of a PUBACK")
            if sent_at[packet_id]:
                latencies.append((now - sent_at[packet_id]) * 1000.0)
                sent_at[packet_id] = 0.0
                count += 1
        connection.in_flight -= count
        self._report.pubacked += count


def _open(name: str, address: Address) -> socket.socket:
    """A connected, accepted, non-blocking socket."""
    sock = socket.create_connection((address.host, address.port), timeout=10.0)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if address.tls:
        context = ssl.create_default_context(cafile=address.authority)
        sock = context.wrap_socket(sock, server_hostname=address.host)
    sock.sendall(connect(name, address.username, address.password, keepalive=0))
    answer = b""
    while len(answer) < CONNACK_LENGTH:
        piece = sock.recv(CONNACK_LENGTH - len(answer))
        if not piece:
            raise ConnectionError(f"{address.host}:{address.port} closed the connection instead of accepting it")
        answer += piece
    if answer[3]:
        reason = REFUSALS.get(answer[3], f"code {answer[3]}")
        raise ConnectionError(f"{address.host}:{address.port} refused the connection: {reason}")
    sock.setblocking(False)
    return sock


def _leave(sock: socket.socket) -> None:
    try:
        sock.send(DISCONNECT)
    except OSError:
        # The broker is gone already; there is nobody to say goodbye to.
        return
    finally:
        sock.close()


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.load",
        description="Publishes native events at QoS 1 and reports rate and PUBACK latency as JSON.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", default="mqtt://127.0.0.1:1883")
    parser.add_argument("--ca", help="file of the certificate authority for mqtts://")
    parser.add_argument("--username")
    parser.add_argument("--password")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--devices", type=int, default=100, help="how many devices the messages are from, in turn")
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second; 0 is as fast as it goes")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--window", type=int, default=1_000, help="messages in flight on each connection")
    parser.add_argument("--kind", choices=KINDS, default="meter.reading")
    parser.add_argument("--site", default="bench")
    parser.add_argument("--prefix", default="bench", help="device ids are PREFIX-00000, PREFIX-00001, ...")
    parser.add_argument("--run", default="", help="first part of all ids (default: the time)")
    parser.add_argument("--alarm-every", type=int, default=0, help="every Nth message is alarming; 0 for none")
    parser.add_argument("--marks", type=Path, help="write id, device and time of alarming messages, as JSON lines")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the load. 0 when all was acknowledged, 1 when the broker failed, 2 for wrong input."""
    given = _arguments().parse_args(argv)
    try:
        address = parse_url(given.url, given.ca)
        if given.username is not None:
            address = Address(
                address.host, address.port, address.tls, address.authority, given.username, given.password
            )
        options = LoadOptions(
            address=address,
            messages=given.messages,
            devices=max(1, given.devices),
            rate=given.rate,
            connections=max(1, given.connections),
            window=given.window,
            kind=given.kind,
            site=given.site,
            prefix=given.prefix,
            run=given.run or f"{time.time_ns():x}",
            alarm_every=given.alarm_every,
        )
        report = Load(options).run()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{given.url}: {error}", file=sys.stderr)
        return 1
    if given.marks is not None:
        given.marks.write_bytes(b"".join(to_json(mark) + b"\n" for mark in report.marks))
    print(json.dumps(report.figures()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
