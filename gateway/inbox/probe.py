"""Questions to a broker before it is trusted: does it hold what our guarantees need?

Everything is judged by what is delivered. A broker answers SUBACK "granted" and PUBACK for what it then throws away.
"""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gateway.inbox.messages import MqttSettings
from gateway.inbox.probe_device import ProbeDevice
from gateway.inbox.visitor import Turned, Visitor

QUEUE_LENGTH: Final = 5_000
_QUEUE_SECONDS: Final = 30.0
_QUIET_SECONDS: Final = 0.5
_ROUND_TRIPS: Final = 15
_SLOW_SECONDS: Final = 0.030
_SHIPPED: Final = "see deploy/mosquitto/mosquitto.conf"


class ProbeResult(msgspec.Struct, frozen=True):
    """One answer. `advice` says what to change; beside an `ok` it is for those who want more than we need."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def probe(settings: MqttSettings, devices: Sequence[ProbeDevice] = ()) -> list[ProbeResult]:
    """Asks the broker of `settings` everything; takes about five seconds, and longer where it falls short.

    `settings` are the core's; on a broker that binds client ids to users stop the core first, for the probe takes its
    place. With two throw-away `devices` it also finds out what devices can do to each other.
    """
    core = _Core(settings)
    reached = core.reach()
    results = [reached]
    if not reached.ok:
        return results
    results += [core.anonymous(), core.wrong_password(), core.encryption(), core.version_5(), core.delay()]
    results += core.known_faults()
    if len(devices) < 2:
        results.append(
            ProbeResult(
                "devices",
                False,
                "not asked: foreign topics, sessions, queues and client ids need two throw-away device credentials",
                "give the probe the credentials of two throw-away devices",
            )
        )
        return results
    between = _Between(settings, devices[0], devices[1])
    checks: list[tuple[str, Callable[[], ProbeResult]]] = [
        ("foreign reading", between.reading),
        ("foreign writing", between.writing),
        ("retained", between.retained),
        ("client id", between.takeover),
        ("session and queue", between.queue),
    ]
    return results + [_asked(name, check) for name, check in checks]


def _asked(name: str, check: Callable[[], ProbeResult]) -> ProbeResult:
    try:
        return check()
    except (Turned, OSError) as error:
        return ProbeResult(name, False, f"the connection failed: {error}", "check the credentials given to the probe")


class _Core:
    """What one credential can find out."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = _as(settings, client_id=f"{settings.client_id}-probe", version="3.1.1")

    def reach(self) -> ProbeResult:
        try:
            with _guest(self._settings):
                return ProbeResult("connection", True, f"{self._settings.url} accepts {self._settings.username}")
        except Turned as error:
            detail = f"{self._settings.url} refused {self._settings.username or 'us'}: {error}"
            advice = "check mqtt.username and its password, and that an MQTT broker listens there (with TLS or without)"
            return ProbeResult("connection", False, detail, advice)
        except OSError as error:
            detail = f"{self._settings.url} cannot be reached: {error}"
            return ProbeResult("connection", False, detail, "check that the broker runs, and mqtt.url")

    def anonymous(self) -> ProbeResult:
        advice = f"forbid it: `allow_anonymous false` in Mosquitto, {_SHIPPED}"
        return self._must_refuse("anonymous", "a client without credentials", _as(self._settings, username=""), advice)

    def wrong_password(self) -> ProbeResult:
        wrong = _as(self._settings, password=secrets.token_hex(8))
        return self._must_refuse("password", "a wrong password", wrong, f"give the broker a password file; {_SHIPPED}")

    def _must_refuse(self, name: str, who: str, settings: MqttSettings, advice: str) -> ProbeResult:
        try:
            with Visitor(_as(settings, client_id=f"probe-{secrets.token_hex(6)}")):
                return ProbeResult(name, False, f"{who} was let in", advice)
        except Turned as error:
            return ProbeResult(name, True, f"{who} was refused: {error}")
        except OSError as error:
            return ProbeResult(name, True, f"{who} was cut off: {error}")

    def encryption(self) -> ProbeResult:
        host, _ = self._settings.address()
        if self._settings.tls:
            return ProbeResult("encryption", True, "TLS")
        if host in ("localhost", "::1") or host.startswith("127."):
            return ProbeResult("encryption", True, "none, and the broker is on this machine")
        return ProbeResult(
            "encryption", False, f"none on the way to {host}", "use TLS: an mqtts:// address and mqtt.tls_ca"
        )

    def version_5(self) -> ProbeResult:
        try:
            with _guest(_as(self._settings, version="5")):
                return ProbeResult("MQTT 5", True, "spoken: commands expire at the broker, refusals have reasons")
        except (Turned, OSError) as error:
            detail = f"not spoken ({error}); 3.1.1 serves, commands carry their expiry inside"
            return ProbeResult("MQTT 5", True, detail)

    def delay(self) -> ProbeResult:
        topic = f"gatehouse/v1/_probe/{secrets.token_hex(4)}"
        times: list[float] = []
        with _guest(self._settings) as core:
            core.subscribe(topic, qos=0)
            for number in range(_ROUND_TRIPS):
                start = time.monotonic()
                core.publish(topic, str(number).encode())
                if not core.wait(lambda wanted=number: len(core.messages) > wanted, 2.0):  # type: ignore[misc]
                    return ProbeResult(
                        "delay", False, "our own messages do not come back", "let the core read and write #"
                    )
                times.append(time.monotonic() - start)
        median = statistics.median(times)
        detail = f"{median * 1000:.1f} ms there and back"
        if median > _SLOW_SECONDS:
            return ProbeResult("delay", False, detail, f"`set_tcp_nodelay true` in Mosquitto; {_SHIPPED}")
        return ProbeResult("delay", True, detail)

    def known_faults(self) -> list[ProbeResult]:
        """What a broker says of itself, where that is known to matter."""
        with _guest(self._settings) as core:
            core.subscribe("$SYS/broker/version", qos=0)
            core.wait(lambda: bool(core.messages), _QUIET_SECONDS)
            said = core.messages[0].payload.decode(errors="replace") if core.messages else ""
        if "mosquitto" not in said:
            return []
        if said.split()[-1] == "2.0.11":
            detail = f"{said} stops delivering after a flood with its defaults, and forgets its sessions when killed"
            return [ProbeResult("broker", False, detail, f"use a newer one, or at least our settings: {_SHIPPED}")]
        return [ProbeResult("broker", True, said)]


class _Between:
    """What two devices can do to each other, and whether the broker keeps what is theirs."""

    def __init__(self, settings: MqttSettings, first: ProbeDevice, second: ProbeDevice) -> None:
        self._core = _as(settings, client_id=f"{settings.client_id}-probe", version="3.1.1")
        self._first, self._second = first, second

    def _login(self, device: ProbeDevice, client_id: str = "") -> MqttSettings:
        return _as(
            self._core,
            username=device.username,
            password=device.password,
            client_id=client_id or f"{device.username}-{secrets.token_hex(4)}",
        )

    def reading(self) -> ProbeResult:
        mine, foreign = b"mine", b"foreign"
        with _guest(self._core) as core, Visitor(self._login(self._second)) as spy:
            spy.subscribe("#")
            if not spy.gone:
                spy.subscribe(
                    "+/#", self._first.subscribe, f"$share/probe/{self._first.subscribe}", self._second.subscribe
                )
            core.publish(self._first.subscribe, foreign)
            core.publish(self._second.subscribe, mine)
            spy.wait(lambda: mine in spy.payloads(), 2.0)
            got = foreign in spy.payloads()
        if got:
            advice = f"give every device an ACL of its own topics only; {_SHIPPED} and its acl"
            return ProbeResult(
                "foreign reading", False, f"{self._second.username} read {self._first.subscribe}", advice
            )
        return ProbeResult("foreign reading", True, "a device gets its own topics only, whatever it subscribes to")

    def writing(self) -> ProbeResult:
        forged, real = b"forged", b"real"
        targets = (self._first.publish, self._first.subscribe, self._second.subscribe)
        with _guest(self._core) as core:
            core.subscribe(*targets, self._second.publish, qos=0)
            for target in targets:
                with Visitor(self._login(self._second)) as rogue:
                    rogue.publish(target, forged, deadline=1.0)
            with Visitor(self._login(self._second)) as honest:
                honest.publish(self._second.publish, real)
            core.wait(lambda: real in core.payloads(), 2.0)
            reached = sorted({message.topic for message in core.messages if message.payload == forged})
        if reached:
            detail = f"{self._second.username} wrote to {', '.join(reached)}"
            return ProbeResult("foreign writing", False, detail, f"give every device an ACL; {_SHIPPED} and its acl")
        if real not in core.payloads():
            detail = f"{self._second.username} cannot write to {self._second.publish} either"
            return ProbeResult("foreign writing", False, detail, "give the device the right to its own topics")
        return ProbeResult("foreign writing", True, "a device writes to its own topics only")

    def retained(self) -> ProbeResult:
        topic = self._first.publish
        with Visitor(self._login(self._first)) as device:
            device.publish(topic, b"kept", retain=True)
        with _guest(self._core) as core:
            core.subscribe(topic, qos=0)
            core.wait(lambda: b"kept" in core.payloads(), 2.0)
            marked = [message.retain for message in core.messages if message.payload == b"kept"]
            core.publish(topic, b"", retain=True)
        if not marked:
            return ProbeResult("retained", False, "a retained message was not kept", "allow retained messages")
        if not all(marked):
            return ProbeResult(
                "retained", False, "a retained copy is not marked as one", "use a broker that marks them"
            )
        return ProbeResult("retained", True, "kept, marked and removable")

    def takeover(self) -> ProbeResult:
        name = f"probe-{secrets.token_hex(4)}"
        with Visitor(self._login(self._first, name)) as victim:
            try:
                with Visitor(self._login(self._second, name)) as rogue:
                    taken = victim.wait(lambda: victim.gone, _QUIET_SECONDS) and not rogue.gone
            except Turned:
                taken = False
        if taken:
            # The core's own client id is random and private, so its session is safe; a device's is not.
            detail = "whoever knows a device's client id can push it off the line (not read its messages)"
            advice = "bind it to the user where the broker can: `use_username_as_clientid true` in Mosquitto"
            return ProbeResult("client id", True, detail, advice)
        return ProbeResult("client id", True, "nobody can take another's place by its client id")

    def queue(self) -> ProbeResult:
        name = f"probe-{secrets.token_hex(4)}"
        topic = self._first.subscribe
        with Visitor(self._login(self._first, name), clean=False, keep=True) as device:
            device.subscribe(topic)
        with _guest(self._core) as core:
            numbers = [str(number).encode() for number in range(QUEUE_LENGTH)]
            core.publish(topic, *numbers, deadline=_QUEUE_SECONDS)
        with Visitor(self._login(self._first, name), clean=False) as device:
            kept = device.session_present
            device.gather(QUEUE_LENGTH, 1.0)
            got = len(set(device.payloads()))
        with Visitor(self._login(self._first, name)):
            pass  # a clean start removes the session
        advice = (
            f"`max_queued_messages 10000000`, `max_inflight_messages 0` and `persistence true` in Mosquitto; {_SHIPPED}"
        )
        if not kept:
            return ProbeResult("session and queue", False, "the session was gone after a reconnect", advice)
        if got < QUEUE_LENGTH:
            detail = f"of {QUEUE_LENGTH} messages for an absent client, all confirmed, {got} were kept"
            return ProbeResult("session and queue", False, detail, advice)
        return ProbeResult("session and queue", True, f"{got} of {QUEUE_LENGTH} messages kept for an absent client")


def _guest(settings: MqttSettings) -> Visitor:
    # Where client ids are bound to users this is the core's own session: leave it as it was found, subscribe at QoS 0.
    return Visitor(settings, clean=False, guest=True)


def _as(
    settings: MqttSettings,
    *,
    client_id: str | None = None,
    username: str | None = None,
    password: str | None = None,
    version: str | None = None,
) -> MqttSettings:
    given = {"client_id": client_id, "username": username, "password": password, "version": version}
    return msgspec.structs.replace(settings, **{name: value for name, value in given.items() if value is not None})
