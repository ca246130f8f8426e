"""paho with one `recv` for each wake-up, and hooks where the inbox has to know.

paho reads a packet with four `recv` and builds a dozen objects: 50 microseconds a message. This subclass replaces
the reading and nothing else (docs/decisions/0002-paho-buffered.md). It leans on paho 2.2 in the few private places that
tests/inbox/test_paho_pin.py pins, and pyproject.toml holds paho below 2.3.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

READ_BYTES: Final = 256 * 1024
_PUBACK: Final = 0x40


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the client asks of its owner, all of it in the network thread but for `id_made`."""

    bytes_came: Callable[[bytes], list[tuple[int, bytes]]]
    """Takes what was read; gives back the packets that paho shall handle, as (first byte, body)."""
    tick: Callable[[], None]
    """Runs with every turn of the network loop, once a second at least."""
    new_generation: Callable[[], None]
    """The old connection is over, a new one is about to be made."""
    unreachable: Callable[[OSError], None]
    """There is no connection: nobody listens, or TLS failed; the error says why."""
    wait_before_reconnect: Callable[[], None]
    failed: Callable[[str, Exception], None]
    """Something went wrong there, with this exception."""
    id_made: Callable[[int], None]
    """A message id was made, in the thread that publishes."""


class BufferedClient(paho.Client):
    """A paho client whose incoming bytes go to `hooks.bytes_came`. Set `hooks` before connecting."""

    hooks: Hooks

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Reads what is there, once, and hands it over. Nothing raised in here ends the network thread.

        Over TLS this is safe too: one read empties a whole TLS record, and for what OpenSSL holds beyond it paho looks
        at `pending()` before it waits.
        """
        try:
            data = self._sock_recv(READ_BYTES)
            if not data:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            with self._msgtime_mutex:
                self._last_bytes_received = time.monotonic()
            return self._pass_on(self.hooks.bytes_came(data))
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        except Exception as error:
            self.hooks.failed("reading", error)
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)

    def _pass_on(self, packets: list[tuple[int, bytes]]) -> MQTTErrorCode:
        for head, body in packets:
            self._in_packet = {
                "command": head,
                "have_remaining": 1,
                "remaining_count": [],
                "remaining_mult": 1,
                "remaining_length": len(body),
                "packet": bytearray(body),
                "to_process": 0,
                "pos": 0,
            }
            code = self._packet_handle()
            if code > 0:
                return self._loop_rc_handle(code)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def loop_misc(self) -> MQTTErrorCode:
        """As paho's, after the owner's turn."""
        self.hooks.tick()
        return super().loop_misc()

    def reconnect(self) -> MQTTErrorCode:
        """Connects again. First the generation ends, so that no acknowledgement of the old one can follow."""
        self.hooks.new_generation()
        try:
            return super().reconnect()
        except OSError as error:
            self.hooks.unreachable(error)
            raise

    def send_acknowledgements(self, packets: bytes) -> None:
        """Queues PUBACK packets as one piece of outgoing data; paho writes it in order with the rest."""
        self._packet_queue(_PUBACK, packets, 0, 0)

    def drop_outgoing(self, mids: Iterable[int]) -> None:
        """Forgets publications that paho would send again with the next connection."""
        with self._out_message_mutex:
            for mid in mids:
                self._out_messages.pop(mid, None)

    def network_thread_ended(self) -> bool:
        """Whether no thread serves the connection, whatever `is_connected` says."""
        return self._thread is None

    def _mid_generate(self) -> int:
        mid = super()._mid_generate()
        self.hooks.id_made(mid)
        return mid

    def _reconnect_wait(self) -> None:
        self.hooks.wait_before_reconnect()

    def _thread_main(self) -> None:
        try:
            super()._thread_main()
        except Exception as error:
            self.hooks.failed("the network thread", error)
