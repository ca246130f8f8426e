"""An MQTT face terminal (`mqtt/face/...`): records that are sent again until acknowledged, and a relay to unlock."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from simulators.access.doorway import Doorway
from simulators.device import Device
from simulators.habits import movement
from simulators.people import Resident
from simulators.wire import Identity, Message, Now, local_time, to_json

HEARTBEAT_S = 30.0
RESEND_S = 15.0
STRANGER_EVERY_S = 3.0
KEPT_RECORDS = 500
ANSWERED = ("EditPersonsNew", "DeleteAllPerson", "RebootDevice")
# A picture of one pixel; a real terminal sends the cut-out face here.
_JPEG = "ffd8ffe000104a46494600010101004800480000ffdb004300" + "ff" * 64
_JPEG += "ffc2000b080001000101011100ffc40014100100000000000000000000000000000000ffda0008010100013f10"
PICTURE = "data:image/jpeg;base64," + base64.b64encode(bytes.fromhex(_JPEG)).decode()


def terminal_topics(serial: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The topics a terminal publishes on, and those it reads."""
    own = f"mqtt/face/{serial}"
    return (
        ("mqtt/face/basic", "mqtt/face/heartbeat", f"{own}/Rec", f"{own}/Snap", f"{own}/QRCode", f"{own}/Ack"),
        (own,),
    )


@dataclass(slots=True)
class _Record:
    number: int
    info: dict[str, Any]
    sent_at: float | None = None


class FaceTerminal(Device):
    """The terminal beside a door. `decides_itself` opens on its own match, else it asks (VerifyStatus 22).

    With ResumefromBreakpoint, as here, every record is sent again until its `PushAck`; what could not be sent at once
    carries `Sendintime` 0. `Unlock` opens once per `messageId`.
    """

    faults: ClassVar[Mapping[str, str]] = {
        "denials": "a stranger tries again and again",
        "blocklisted": "somebody on the block list tries again and again",
        "replay": "the operator pushes the stored records again by hand (PushType 2)",
        "no_ack": "deaf to PushAck: sends every record again and again",
    }

    def __init__(
        self,
        identity: Identity,
        seed: object,
        doorway: Doorway,
        people: Sequence[Resident],
        passes_per_day: float,
        *,
        decides_itself: bool = True,
    ) -> None:
        super().__init__(identity, seed)
        self.doorway = doorway
        self.unlocks = 0
        self.decides_itself = decides_itself
        self._people = people
        self.listed: dict[str, dict[str, Any]] = {one.number: {"customId": one.number} for one in people}
        """Whom it knows, by `customId`: those who were enrolled at the terminal, and whom the platform adds."""
        self._passes_per_day = passes_per_day
        self._own = f"mqtt/face/{identity.external_id}"
        self._welcomed = False
        self._next_heartbeat = 0.0
        self._next_stranger = 0.0
        self._next_record: int | None = None
        self._open_records: OrderedDict[int, _Record] = OrderedDict()
        self._history: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._unlocked: OrderedDict[str, None] = OrderedDict()
        self._last_step: Now | None = None

    def connected(self, now: Now) -> list[Message]:
        """Says `Online`, and again with every heartbeat until `Online-Ack`; stored records follow."""
        super().connected(now)
        self._welcomed = False
        self._next_heartbeat = now.wall + HEARTBEAT_S
        messages = [self._online(now)]
        for record in self._open_records.values():
            messages.append(self._push(record, now, delayed=True))
        return messages

    def begin(self, fault: str, now: Now, options: Mapping[str, float] | None = None) -> None:
        """As for every device."""
        super().begin(fault, now, options)
        self._next_stranger = now.wall

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """`Online-Ack`, `PushAck`, `Unlock`, and the enrolment commands, which it answers `ok`."""
        try:
            body = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            return []
        if not isinstance(body, dict):
            return []
        operator = body.get("operator")
        given = body.get("info")
        info: dict[str, Any] = given if isinstance(given, dict) else {}
        if operator == "Online-Ack":
            self._welcomed = True
        elif operator == "PushAck" and not self.suffers("no_ack"):
            self._open_records.pop(_number(info.get("SnapOrRecordID")), None)
        elif operator == "Unlock":
            return self._unlock(str(body.get("messageId")), now)
        elif operator in ("EditPerson", "DelPerson"):
            return [self._enrol(str(operator), str(body.get("messageId")), info, now)]
        elif operator in ANSWERED:
            return [self._ack(str(operator), str(body.get("messageId")), now, {"customId": info.get("customId", "")})]
        return []

    def show_code(self, code: str, now: Now) -> list[Message]:
        """Somebody holds a QR code before the camera: `QRCodePush`, sent once."""
        time = local_time(self.clock(now), self.identity.timezone)
        info = {"facesluiceId": self.identity.external_id, "time": time, "QRCodeInfo": code}
        return [Message(f"{self._own}/QRCode", to_json({"operator": "QRCodePush", "info": info}), self.id, "qr")]

    def _enrol(self, operator: str, message_id: str, info: Mapping[str, Any], now: Now) -> Message:
        """Adds or changes somebody, or takes them off. A new face needs a picture (463), a change does not."""
        ident = str(info.get("customId") or "")
        code = "200"
        if not ident:
            code = "461"
        elif operator == "DelPerson":
            code = "200" if self.listed.pop(ident, None) is not None else "462"
        elif ident in self.listed or info.get("picURI"):
            self.listed[ident] = self.listed.get(ident, {}) | dict(info)
        else:
            code = "463"
        return self._ack(operator, message_id, now, {"customId": ident}, code)

    def _step(self, now: Now) -> list[Message]:
        before = self._last_step or now
        self._last_step = now
        if self._next_record is None:
            # The counter of a real terminal survives a restart; the start time stands in for its memory.
            self._next_record = max(1, int(now.wall) - 1_700_000_000)
        messages: list[Message] = []
        if self.online and now.wall >= self._next_heartbeat:
            self._next_heartbeat = now.wall + HEARTBEAT_S
            messages.append(self._heartbeat(now) if self._welcomed else self._online(now))
        if self._happens(self._passes_per_day * movement(now.hour), now.simulated - before.simulated):
            messages += self._somebody(now)
        if (self.suffers("denials") or self.suffers("blocklisted")) and now.wall >= self._next_stranger:
            self._next_stranger = now.wall + STRANGER_EVERY_S
            messages += self._record(now, None, "2")
        if self.suffers("replay") and now.wall >= self._next_stranger:
            self._next_stranger = now.wall + 3600.0
            messages += [self._message(info | {"PushType": 2}) for info in self._history.values()]
        messages += self._again(now)
        self.due = now.wall + self.tick
        return messages

    def _somebody(self, now: Now) -> list[Message]:
        if self.random.random() < 0.015:
            return self._record(now, None, "2")
        person = self.random.choice(self._people)
        if not self.decides_itself:
            return self._record(now, person, "22")
        if self.doorway.release(now.wall, "granted"):
            self._walk(now)
        return self._record(now, person, "1")

    def _walk(self, now: Now) -> None:
        self.doorway.walk_through(now.wall, self.random.uniform(0.5, 1.5), self.random.uniform(2.0, 5.0))

    def _record(self, now: Now, person: Resident | None, status: str) -> list[Message]:
        number = self._next_record or 1
        self._next_record = number + 1
        left = self.random.randrange(200, 500)
        info: dict[str, Any] = {
            "customId": person.number if person else "",
            "personId": str(int(person.number[1:])) if person else "0",
            "RecordID": str(number),
            "VerifyStatus": status,
            "PersonType": "1" if person is None and self.suffers("blocklisted") else "0",
            "similarity1": f"{self.random.uniform(80, 99) if person else self.random.uniform(20, 50):.6f}",
            "Sendintime": 1,
            "personName": person.name if person else "",
            "facesluiceId": self.identity.external_id,
            "idCard": "",
            "telnum": " ",
            "time": local_time(self.clock(now), self.identity.timezone),
            "isNoMask": "1",
            "PushType": 0,
            "targetPosInScene": [left, 0, left + 1000, 1080],
            "direction": "in",
            "pic": PICTURE,
        }
        self._history[number] = info
        self._open_records[number] = _Record(number, info)
        for kept in (self._history, self._open_records):
            while len(kept) > KEPT_RECORDS:
                kept.popitem(last=False)
        return [self._push(self._open_records[number], now, delayed=False)] if self.online else []

    def _again(self, now: Now) -> list[Message]:
        if not self.online:
            return []
        waiting = [r for r in self._open_records.values() if r.sent_at is None or now.wall - r.sent_at >= RESEND_S]
        return [self._push(record, now, delayed=True) for record in waiting[:20]]

    def _push(self, record: _Record, now: Now, *, delayed: bool) -> Message:
        if delayed and record.sent_at is None:
            record.info = record.info | {"Sendintime": 0}
        record.sent_at = now.wall
        return self._message(record.info)

    def _message(self, info: Mapping[str, Any]) -> Message:
        body = {"operator": "RecPush", "info": info}
        return Message(f"{self._own}/Rec", to_json(body), self.id, f"record:{info['RecordID']}")

    def _unlock(self, message_id: str, now: Now) -> list[Message]:
        if message_id not in self._unlocked:
            self._unlocked[message_id] = None
            while len(self._unlocked) > KEPT_RECORDS:
                self._unlocked.popitem(last=False)
            self.unlocks += 1
            if self.doorway.release(now.wall, "remote"):
                self._walk(now)
        return [self._ack("Unlock", message_id, now, {})]

    def _ack(self, operator: str, message_id: str, now: Now, extra: Mapping[str, object], code: str = "200") -> Message:
        result = "ok" if code == "200" else "fail"
        info = {"facesluiceId": self.identity.external_id, **extra, "result": result, "detail": ""}
        body = {"operator": f"{operator}-Ack", "messageId": message_id, "code": code, "info": info}
        return Message(f"{self._own}/Ack", to_json(body), self.id, f"ack:{message_id}")

    def _online(self, now: Now) -> Message:
        info = {
            "facesluiceId": self.identity.external_id,
            "username": "admin",
            "time": local_time(self.clock(now), self.identity.timezone),
            "ip": "192.168.254.100",
            "facesname": f"IPC{self.identity.external_id}",
        }
        return Message("mqtt/face/basic", to_json({"operator": "Online", "info": info}), self.id, "online")

    def _heartbeat(self, now: Now) -> Message:
        time = local_time(self.clock(now), self.identity.timezone)
        info = {"facesluiceId": self.identity.external_id, "time": time}
        return Message("mqtt/face/heartbeat", to_json({"operator": "HeartBeat", "info": info}), self.id, "heartbeat")


def _number(value: object) -> int:
    """A record number, which platforms send as text or number; -1 where it is neither."""
    try:
        return int(str(value))
    except ValueError:
        return -1
