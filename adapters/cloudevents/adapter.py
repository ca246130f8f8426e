"""CloudEvents over MQTT: `gatehouse/v1/{site}/{device}/events|availability|results`, and commands the other way.

Decoding here is the hottest path of the gateway: one dictionary look-up and one type check per attribute, and no pass
over the message that is not needed. Fields are checked against the catalogue by the core, for all adapters alike.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.cloudevents.times import epoch, rfc3339
from adapters.strict_json import count_keys, explain, keys_are_unique, read_json, refuse_doubled_keys
from gateway.contract import Context, Decoded, Manifest, Packet, Reading
from gateway.errors import Ignored, Undecodable
from gateway.model.command import Command, CommandResult
from gateway.model.passes import Question
from gateway.model.place import Device
from gateway.model.visitor import shown_code

_ROOT = "gatehouse/v1/{site}/{device}"
_STATUSES = ("done", "rejected", "failed")
_LARGEST_SEQUENCE = 2**63 - 1
#: The kind by which a door asks, and what it is asked by: field, kind of pass, what opens.
ASKS = "access.requested"
_ASKED_BY = (("plate", "plate", "raise"), ("card", "card", "open"), ("person_id", "person", "open"))
_ONLINE = {b"online": True, b"offline": False}
_MINIMUM_LEVELS = 5
_HTTP_LEVELS = 3

_parse = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder().encode


class CloudEvents:
    """The native adapter. Knows every kind of the catalogue and carries every command word."""

    manifest = Manifest(
        name="cloudevents",
        aliases=("native",),
        title={"en": "CloudEvents (native)", "zh": "CloudEvents(原生格式)"},
        topics=("gatehouse/v1/+/+/events", "gatehouse/v1/+/+/availability", "gatehouse/v1/+/+/results"),
        kinds=("*",),
        publish=(f"{_ROOT}/events", f"{_ROOT}/availability", f"{_ROOT}/results"),
        subscribe=(f"{_ROOT}/commands",),
        commands=(
            *("open", "close", "lock", "unlock", "hold_open", "unlock_all", "lock_down", "normal"),
            *("raise", "lower", "keep_open", "recall", "release", "announce"),
            *("on", "off", "dim", "start", "stop", "evacuate"),
            *("relay_on", "relay_off", "valve_open", "valve_close", "read", "restart", "set_time", "configure"),
        ),
    )

    def decode(self, topic: str, payload: bytes, context: Context) -> Decoded:
        """Events, availability or a command's result, by the last level of the topic."""
        levels = topic.split("/")
        if len(levels) >= _MINIMUM_LEVELS and levels[0] == "gatehouse":
            device, part = levels[3], levels[4]
            if part == "events":
                return _told(device, _events(payload))
            if part == "availability":
                return _availability(device, payload)
            if part == "results":
                return Decoded(device, (), (), (_result(payload),))
        elif len(levels) == _HTTP_LEVELS and levels[0] == "ingest":
            return _told(levels[2], _events(payload))
        raise Undecodable("topic", f"{topic[:120]!r} is not gatehouse/v1/SITE/DEVICE/events, availability or results")

    def encode(self, command: Command, device: Device) -> tuple[Packet, ...]:
        """`{"id", "command", "args", "expires"}` to the device's own topic."""
        body: dict[str, Any] = {"id": command.id, "command": command.name, "args": command.args}
        if command.expires:
            body["expires"] = rfc3339(command.expires)
        return (Packet(f"gatehouse/v1/{device.site}/{device.id}/commands", _write(body)),)

    def http_reply(self, decoded: Decoded, allowed: bool | None) -> tuple[str, bytes]:
        """How many events were taken; with the answer where the message asked a question."""
        body: dict[str, Any] = {"accepted": len(decoded.events)}
        if allowed is not None:
            body["allowed"] = allowed
        return "application/json", _write(body)


def _told(device: str, readings: list[Reading]) -> Decoded:
    """What a device told; a single `access.requested` with what was shown is a question."""
    if len(readings) == 1 and readings[0].kind == ASKS:
        return Decoded(device, readings, question=_question(readings[0].data))
    return Decoded(device, readings)


def _question(data: dict[str, Any]) -> Question | None:
    """Who asks to be let in, by the first of these that the event has. A scanned code loses its signature in `data`."""
    direction = data.get("direction")
    way = direction if direction in ("in", "out") else ""
    token = data.pop("token", None)
    if type(token) is str and token:
        data.setdefault("credential_kind", "qr")
        data["scanned"] = shown_code(token)
        return Question(kind="qr", value=token, direction=way, command="open")
    for field, kind, command in _ASKED_BY:
        value = data.get(field)
        if type(value) is str and value:
            return Question(kind=kind, value=value, direction=way, command=command)
    return None


def _events(payload: bytes) -> list[Reading]:
    """The readings of one event or of a batch. Raises `Undecodable` with the JSON path of the offending part."""
    try:
        document = _parse(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise explain(payload, error) from None
    if type(document) is dict:
        readings = [_reading(document, "$")]
        keys = len(document) + len(readings[0].data)
        lists = 0
    elif type(document) is list:
        if not document:
            raise Ignored("the batch is empty")
        readings = []
        keys, lists = 0, 1
        for index, event in enumerate(document):
            where = f"$[{index}]"
            if type(event) is not dict:
                raise Undecodable(where, "expected an event, that is a JSON object")
            reading = _reading(event, where)
            readings.append(reading)
            keys += len(event) + len(reading.data)
    else:
        raise Undecodable("$", "expected an event or an array of events")
    # Attributes and flat data have exactly these keys and no list; what has others is looked at closely.
    if payload.count(b"[") != lists or not keys_are_unique(payload, keys):
        _look_closely(document, payload)
    return readings


def _look_closely(document: Any, payload: bytes) -> None:
    """Raises `Undecodable` for nesting too deep and for doubled keys, which nested data and odd blanks may hide."""
    if not keys_are_unique(payload, count_keys(document)):
        refuse_doubled_keys(payload)


def _reading(event: dict[str, Any], where: str) -> Reading:
    """One event. `source` and `id` together are its key, as CloudEvents says."""
    get = event.get
    identifier, source, kind = get("id"), get("source"), get("type")
    if (
        type(identifier) is not str
        or type(source) is not str
        or type(kind) is not str
        or get("specversion") != "1.0"
        or not (identifier and source and kind)
        or " " in source
    ):
        raise _bad_attribute(event, where)
    data = get("data")
    if type(data) is not dict:
        data = _odd_data(event, where)
    elif "datacontenttype" in event:
        _check_content_type(event, where)
    time = get("time")
    reading = Reading(kind, data, None if time is None else epoch(time, f"{where}.time"), f"{source} {identifier}")
    if "sequence" in event:
        reading.sequence = _sequence(event["sequence"], f"{where}.sequence")
    if "boot" in event:
        reading.boot = _boot(event["boot"], f"{where}.boot")
    if "replay" in event:
        reading.replay = _flag(event["replay"], f"{where}.replay")
    return reading


def _bad_attribute(event: dict[str, Any], where: str) -> Undecodable:
    """Which of the four required attributes is missing or wrong."""
    for name in ("specversion", "id", "source", "type"):
        place = f"{where}.{name}"
        if event.get(name) is None:
            return Undecodable(place, "missing")
        if type(event[name]) is not str:
            return Undecodable(place, f"expected a text, got {_shown(event[name])}")
        if not event[name]:
            return Undecodable(place, "empty")
    if event["specversion"] != "1.0":
        return Undecodable(f"{where}.specversion", f"expected 1.0, got {event['specversion'][:20]!r}")
    return Undecodable(f"{where}.source", "a URI reference has no blanks")


def _odd_data(event: dict[str, Any], where: str) -> dict[str, Any]:
    if "data_base64" in event:
        raise Undecodable(f"{where}.data_base64", "binary data cannot be read; send `data` as a JSON object")
    if event.get("data") is None:
        return {}
    raise Undecodable(f"{where}.data", f"expected an object, got {_shown(event['data'])}")


def _check_content_type(event: dict[str, Any], where: str) -> None:
    content = event["datacontenttype"]
    if content is None:
        return
    bare = content.split(";")[0].strip().lower() if isinstance(content, str) else ""
    if bare != "application/json" and not bare.endswith("+json"):
        raise Undecodable(f"{where}.datacontenttype", f"expected application/json, got {_shown(content)}")


def _sequence(value: Any, where: str) -> int | None:
    """The CloudEvents `sequence` extension. A text that is no number has no successor, so it tells of no gap."""
    if value is None:
        return None
    if type(value) is str:
        if not (value.isascii() and value.isdigit()):
            return None
        number = int(value) if len(value) < len(str(_LARGEST_SEQUENCE)) + 1 else _LARGEST_SEQUENCE + 1
    elif type(value) is int:
        number = value
    else:
        raise Undecodable(where, f"expected a whole number, got {_shown(value)}")
    if not 0 <= number <= _LARGEST_SEQUENCE:
        raise Undecodable(where, "expected a whole number from 0 to 2^63-1")
    return number


def _boot(value: Any, where: str) -> str:
    if value is None:
        return ""
    if type(value) is str or type(value) is int:
        return str(value)
    raise Undecodable(where, f"expected a text or a number, got {_shown(value)}")


def _flag(value: Any, where: str) -> bool:
    if value is None or type(value) is bool:
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise Undecodable(where, f"expected true or false, got {_shown(value)}")


def _availability(device: str, payload: bytes) -> Decoded:
    word = payload.strip()
    online = _ONLINE.get(word)
    if online is None:
        if not word:
            raise Ignored("the retained availability was cleared")
        raise Undecodable("payload", f"expected online or offline, got {payload[:40]!r}")
    return Decoded(device, [Reading("device.availability", {"online": online})], availability=online)


def _result(payload: bytes) -> CommandResult:
    """A device's answer to one command."""
    body = read_json(payload)
    if type(body) is not dict:
        raise Undecodable("$", 'expected {"id", "status", "detail"}')
    for name in ("id", "status"):
        if type(body.get(name)) is not str or not body[name]:
            raise Undecodable(f"$.{name}", "missing" if body.get(name) is None else "expected a text")
    if body["status"] not in _STATUSES:
        raise Undecodable("$.status", f"{body['status'][:40]!r} is not one of {', '.join(_STATUSES)}")
    detail = body.get("detail")
    if detail is not None and type(detail) is not str:
        raise Undecodable("$.detail", f"expected a text, got {_shown(detail)}")
    return CommandResult(body["id"], body["status"], (detail or "")[:500])


def _shown(value: Any) -> str:
    """A value as it stands in an error: short."""
    text = _write(value).decode(errors="replace")
    return text if len(text) <= 40 else f"{text[:37]}..."
