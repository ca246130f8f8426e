"""The path of a batch from messages and actions to rows: decode, identify, judge. Pure of I/O; the core commits.

The same code runs live and when the journal is replayed after a restart. A replay gives the rules engine and the
memories the state they had; what the services had decided is in the database already and is not decided again.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import msgspec

from gateway.contract import Adapter, Decoded, Reading
from gateway.core.identity import Keys, Memory, Verdict, event_key
from gateway.core.intake import DecodeContext, Router
from gateway.core.journal import ActionEntry, AnyEntry, EventEntry, MessageEntry, PackRef, PlaceEntry, RulesEntry
from gateway.core.ports import Desk, Engine
from gateway.core.registry import SELF, Registry
from gateway.core.rejects import Rejects
from gateway.core.sheet import Rejected, Sheet
from gateway.core.states import States
from gateway.errors import Ignored, Undecodable
from gateway.model import (
    Catalogue,
    Device,
    Event,
    Fate,
    Question,
    RuleChange,
)
from gateway.model.visitor import redacted_bytes

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

#: The kind to which the gateway itself adds a field.
VEHICLE = "parking.vehicle"
#: The journal's word for a time in which nobody attended.
PAUSE = "gateway.pause"
_WORDS = {fate: fate.value for fate in Fate}
#: Letters in the name of a kind, at most: as many as its column has.
LONGEST_KIND = 64
#: Fates that end a message before its events are looked at: a replay of the journal skips them.
STOPPED = frozenset((Fate.UNKNOWN_DEVICE, Fate.UNDECODABLE, Fate.IGNORED, Fate.OVERSIZED))


class Pipeline:
    """Turns entries into a sheet. Keeps the memories; owned by one thread."""

    def __init__(
        self,
        *,
        adapters: Mapping[str, Adapter],
        registry: Registry,
        catalogue: Catalogue,
        engine: Engine,
        desk: Desk,
        keys: Keys,
        max_payload: int,
    ) -> None:
        self._adapters = {adapter.manifest.name: adapter for adapter in adapters.values()}
        self._aliases = {alias: name for name, known in self._adapters.items() for alias in known.manifest.aliases}
        self.router = Router(self._adapters.values())
        self.registry = registry
        self.catalogue = catalogue
        self.engine = engine
        self.desk = desk
        self.keys = keys
        self.memory = Memory()
        self.states = States()
        self.rejects = Rejects()
        self.seq = 0
        self.packs: tuple[PackRef, ...] = ()
        """The packs whose rules the engine has."""
        self.rules_of: Callable[[tuple[PackRef, ...]], Any] | None = None
        """Gives a replay the rules that packs make; None where the rules do not follow the journal."""
        self._live = True
        self._answers: list[bool] = []
        self._max_payload = max_payload
        self._contexts = {name: DecodeContext(name, registry, self.states) for name in self._adapters}

    def adapter(self, name: str) -> Adapter | None:
        """The adapter called `name`, or having it as an alias."""
        return self._adapters.get(self._aliases.get(name, name))

    # Entries.

    def message(self, entry: MessageEntry, sheet: Sheet) -> tuple[Fate, Decoded | None, bool | None]:
        """One message through decode, identify and judge. Its fate, what it said, and the answer if it asked."""
        decoded: Decoded | None = None
        allowed: bool | None = None
        adapter: Adapter | None = None
        try:
            self._tick(entry.at, sheet)
            adapter = self._adapters.get(entry.adapter) if entry.adapter else self.router.adapter_of(entry.topic)
            if len(entry.payload) > self._max_payload:
                raise _Stop(Fate.OVERSIZED, "", f"{len(entry.payload)} bytes; at most {self._max_payload} are read")
            if adapter is None:
                raise _Stop(Fate.IGNORED, "topic", f"no adapter reads '{entry.topic}'")
            decoded = self._decode(adapter, entry)
            fate, allowed = self._accept(adapter, decoded, entry, sheet)
        except _Stop as stop:
            fate = self._reject(stop, adapter, decoded, entry, sheet)
        except Exception as error:
            # Whatever a message hits, it costs this message and never the core.
            _log.exception("a message on topic %s could not be judged", entry.topic)
            failed = _Stop(Fate.UNDECODABLE, "", f"the gateway failed: {type(error).__name__}: {error}"[:300])
            fate = self._reject(failed, adapter, decoded, entry, sheet)
        if self._live:
            if self._answers:
                entry.answers, self._answers = tuple(self._answers), []
            entry.fate = word = _WORDS[fate]
            entry.payload = redacted_bytes(entry.payload)
            sheet.entries.append(entry)
            sheet.count(word)
        return fate, decoded, allowed

    def own(self, entry: EventEntry, sheet: Sheet) -> None:
        """An event of the gateway itself, or one that it found out of a device."""
        self._tick(entry.at, sheet)
        device = self.registry.devices.get(entry.device)
        if device is None or not device.enabled:
            # The rules know nothing of a disabled device: what concerns it still is the gateway's own to say.
            device = self.registry.devices.get(SELF)
        if device is not None:
            self._synthesise(device, entry.kind, entry.data, entry.at, entry.wall, sheet, entry.site)
        if self._live:
            sheet.entries.append(entry)

    def pause(self, entry: EventEntry, sheet: Sheet) -> None:
        """Nobody attended for a while: the engine gives the time back to those it expected to hear of."""
        self.engine.excuse(float(entry.data["seconds"]), entry.at)
        if self._live:
            sheet.entries.append(entry)

    def switch(self, entry: RulesEntry, rules: Any, sheet: Sheet) -> None:
        """Other rules from here on; what was due before is judged by those so far."""
        self._tick(entry.at, sheet)
        changes = self.engine.set_rules(rules, entry.at)
        self.packs = entry.packs
        if self._live:
            self.desk.set_rules(rules)
            self._take_over(changes, entry.at, entry.wall, sheet)
            sheet.entries.append(entry)

    def finish(self, at: float, sheet: Sheet) -> None:
        """Brings the engine to the batch's own time."""
        self._tick(at, sheet)

    def replay(self, entries: list[AnyEntry], at: float, sheet: Sheet) -> None:
        """Feeds a journaled batch to the engine and the memories; the services see nothing of it."""
        self._live = False
        try:
            for before, entry in zip([None, *entries], entries, strict=False):
                if isinstance(entry, PlaceEntry):
                    self.registry.redo(entry.sites, entry.devices)
                    devices = [device for _, device in entry.devices]
                    self.engine.set_topology(devices, entry.at, self.registry.time_zones)
                elif isinstance(entry, RulesEntry):
                    if self.rules_of is not None:
                        self.switch(entry, self.rules_of(entry.packs), sheet)
                elif isinstance(entry, ActionEntry):
                    self._replay_action(entry, before)
                elif isinstance(entry, MessageEntry) and entry.fate not in STOPPED:
                    self._answers = list(entry.answers)
                    self.message(entry, sheet)
                elif isinstance(entry, MessageEntry):
                    self._replay_reject(entry, sheet)
                elif isinstance(entry, EventEntry) and entry.kind == PAUSE:
                    self.pause(entry, sheet)
                elif isinstance(entry, EventEntry):
                    self.own(entry, sheet)
            self.finish(at, sheet)
        finally:
            self._live = True
            self._answers = []

    # Stages.

    def _decode(self, adapter: Adapter, entry: MessageEntry) -> Decoded:
        context = self._contexts[adapter.manifest.name]
        context.received = entry.wall
        context.retain = entry.retain
        try:
            return adapter.decode(entry.topic, entry.payload, context)
        except Undecodable as error:
            raise _Stop(Fate.UNDECODABLE, error.where, error.reason) from None
        except Ignored as error:
            raise _Stop(Fate.IGNORED, "", error.message) from None
        except Exception as error:
            # An adapter's bug must cost one message, never the core.
            _log.exception("adapter %s failed on topic %s", adapter.manifest.name, entry.topic)
            reason = f"the adapter failed: {type(error).__name__}: {error}"[:300]
            raise _Stop(Fate.UNDECODABLE, "", reason) from error

    def _accept(
        self, adapter: Adapter, decoded: Decoded, entry: MessageEntry, sheet: Sheet
    ) -> tuple[Fate, bool | None]:
        device = self._device(adapter, decoded.device, entry)
        name = adapter.manifest.name
        for reading in decoded.events:
            if not 1 <= len(reading.kind) <= LONGEST_KIND:
                raise _Stop(Fate.UNDECODABLE, "type", f"a kind has 1 to {LONGEST_KIND} letters")
            misfit = self.catalogue.misfit(reading.kind, reading.data)
            if misfit is not None:
                raise _Stop(Fate.UNDECODABLE, f"{reading.kind}.{misfit.field}", misfit.reason)
            if reading.device and self.registry.find(name, reading.device) is None:
                raise _Stop(Fate.UNKNOWN_DEVICE, reading.device, "this serial is not registered")
        fate = Fate.ACCEPTED if not decoded.events else Fate.DUPLICATE
        first: Event | None = None
        for index, reading in enumerate(decoded.events):
            speaker = device if not reading.device else self.registry.find(name, reading.device) or device
            met, event = self._event(speaker, reading, index, entry, sheet)
            first = first or event
            if met is Fate.ACCEPTED or (met is Fate.LATE and fate is not Fate.ACCEPTED):
                fate = met
        self._aside(device, decoded, entry, sheet)
        if self._live and decoded.results:
            for result in decoded.results:
                self.desk.result(device.id, result, entry.at, entry.wall, sheet.changes)
        allowed = None
        if decoded.question is not None and self._live and fate is not Fate.DUPLICATE:
            allowed = self._ask(decoded.question, device, first, entry, sheet)
        if decoded.replies:
            sheet.replies.extend(decoded.replies)
        return fate, allowed

    def _device(self, adapter: Adapter, serial: str, entry: MessageEntry) -> Device:
        device = self.registry.find(adapter.manifest.name, serial)
        if device is None:
            raise _Stop(Fate.UNKNOWN_DEVICE, serial, "this serial is not registered: adopt it from the quarantine")
        if not device.enabled:
            raise _Stop(Fate.UNKNOWN_DEVICE, serial, f"device '{device.id}' is disabled")
        if entry.adapter and entry.topic.startswith("ingest/") and not entry.topic.endswith(f"/{device.id}"):
            raise _Stop(
                Fate.UNDECODABLE, "device", f"the message speaks for '{device.id}', its credential is another's"
            )
        return device

    def _aside(self, device: Device, decoded: Decoded, entry: MessageEntry, sheet: Sheet) -> None:
        """What a message says beside its events: presence, and the shadow of a format with partial updates."""
        if decoded.availability is False:
            # A last will is the broker's word about the device: nobody was heard.
            state = self.states.of(device.id, device.site)
            state.online = False
            self.states.touch(device.id)
        elif not entry.retain:
            state = self.states.heard(device.id, device.site, entry.wall)
            if not decoded.events:
                self._take_over(self.engine.hear(device.id, entry.at), entry.at, entry.wall, sheet)
        elif decoded.availability:
            state = self.states.of(device.id, device.site)
            state.online = True
            self.states.touch(device.id)
        else:
            return
        if self._live and state.online is not None:
            self.desk.present(device.id, state.online, entry.at, entry.wall, sheet.changes)
        if decoded.shadow is not None:
            state.shadow = decoded.shadow

    def _event(
        self, device: Device, reading: Reading, index: int, entry: MessageEntry, sheet: Sheet
    ) -> tuple[Fate, Event | None]:
        wall = entry.wall
        claimed = reading.time
        if claimed is not None and not isfinite(claimed):
            claimed = None
        body = _encode(reading.data)
        bare = redacted_bytes(body)
        if bare is not body:
            # A visitor's code opens doors: wherever a device wrote it, its signature is not kept.
            reading.data, body = msgspec.json.decode(bare), bare
        digest = zlib.crc32(body)
        if reading.id:
            key = event_key(device.id, reading.id)
            verdict = self.keys.check(key, digest)
        elif reading.sequence is not None:
            key = event_key(device.id, f"#{reading.boot}#{reading.sequence}")
            verdict = self.keys.check(key, digest)
        elif claimed is not None:
            key = event_key(device.id, f"@{claimed}#{index}#{reading.kind}#{digest}")
            verdict = self.keys.check(key, digest)
        else:
            key = event_key(device.id, f"{index}#{entry.topic}#{reading.kind}#{digest}")
            verdict = self.keys.check_anonymous(key, entry.at, entry.dup)
        if verdict is not Verdict.NEW:
            if verdict is Verdict.CONFLICT:
                self._conflict(device, reading, entry, sheet)
            return Fate.DUPLICATE, None
        if reading.kind == VEHICLE:
            body = self._register(device, reading, wall)
        replay = reading.replay or entry.retain
        time, late = wall, False
        if claimed is not None and not replay:
            arrival = self.memory.arrive(device.id, claimed, wall, self.registry.lateness(device.site))
            time, late = arrival.time, arrival.late
            if arrival.skewed is not None:
                self._clock(device, arrival.skewed, entry, sheet)
        elif claimed is not None:
            time = claimed
        if reading.sequence is not None and not replay:
            self._number(device, reading, entry, sheet)
        self.seq += 1
        event = Event(
            device.id,
            reading.kind,
            time,
            wall,
            entry.at,
            reading.data,
            key,
            reading.id,
            device.site,
            replay,
            late,
            self.seq,
        )
        self._keep(event, digest, body, sheet)
        if reading.device:
            self.states.heard(device.id, device.site, wall)
        self._judge(event, sheet)
        return (Fate.LATE if late else Fate.ACCEPTED), event

    def _register(self, device: Device, reading: Reading, wall: float) -> bytes:
        """Adds to a vehicle whether it has a pass: the camera cannot know, and the rules want to.

        After the identity was checked: a pass given meanwhile must not make a redelivery look like another event.
        """
        plate = reading.data.get("plate")
        if plate and "registered" not in reading.data:
            if self._live:
                known = self.desk.registered(device.site, "plate", str(plate), wall)
                self._answers.append(known)
            else:
                known = self._answers.pop(0) if self._answers else False
            reading.data["registered"] = known
        return _encode(reading.data)

    def _keep(self, event: Event, digest: int, body: bytes, sheet: Sheet) -> None:
        """The event's row, and its place in the device's present."""
        row = (
            event.seq, event.site, event.device, event.kind, event.time, event.received, event.late, event.replay,
            event.key, digest, body.decode(),
        )  # fmt: skip
        kind = self.catalogue.kinds.get(event.kind)
        if kind is not None and kind.record == "reading":
            sheet.rows.readings.append(row)
        else:
            sheet.rows.events.append(row)
        self.states.take(self.states.of(event.device, event.site), event)

    def _judge(self, event: Event, sheet: Sheet) -> None:
        changes = self.engine.process(event)
        if self._live:
            self.desk.observe(event, event.at, event.received, sheet.changes)
            if changes:
                self._take_over(changes, event.at, event.received, sheet)

    def _take_over(self, changes: list[RuleChange], at: float, wall: float, sheet: Sheet) -> None:
        if changes and self._live:
            self.desk.apply(changes, at, wall, sheet.changes)

    def _tick(self, at: float, sheet: Sheet) -> None:
        due = self.engine.next_due()
        if due is not None and due <= at:
            changes = self.engine.advance(at)
            sheet.judged = True
            self._take_over(changes, at, sheet.wall, sheet)

    def _ask(self, question: Question, device: Device, event: Event | None, entry: MessageEntry, sheet: Sheet) -> bool:
        decision = self.desk.decide(question, device, event, sheet.at, entry.wall, sheet.changes)
        return decision.allowed

    # What the gateway itself has to say of a device.

    def _synthesise(
        self, device: Device, kind: str, data: dict[str, Any], at: float, wall: float, sheet: Sheet, site: str = ""
    ) -> None:
        self.seq += 1
        body = _encode(data)
        key = event_key(device.id, f"gateway#{self.seq}")
        place = site if device.id == SELF and site else device.site
        event = Event(device.id, kind, wall, wall, at, data, key, "", place, False, False, self.seq)
        self._keep(event, zlib.crc32(body), body, sheet)
        self._judge(event, sheet)

    def _clock(self, device: Device, skewed: bool, entry: MessageEntry, sheet: Sheet) -> None:
        offset = self.memory.of(device.id).offset
        self.states.of(device.id, device.site).skew = -offset if skewed else 0.0
        data = {"skew_s": round(-offset, 1), "excessive": skewed}
        self._synthesise(device, "gateway.clock_skew", data, entry.at, entry.wall, sheet)

    def _number(self, device: Device, reading: Reading, entry: MessageEntry, sheet: Sheet) -> None:
        gap = self.memory.count(device.id, reading.sequence or 0, reading.boot)
        if gap is not None:
            data = {"first": gap[0], "last": gap[1], "missing": gap[2]}
            self._synthesise(device, "gateway.sequence_gap", data, entry.at, entry.wall, sheet)

    def _conflict(self, device: Device, reading: Reading, entry: MessageEntry, sheet: Sheet) -> None:
        name = reading.id or f"{reading.boot}#{reading.sequence}"
        reason = f"'{name}' was used before with other content; the device numbers two events alike"
        stop = _Stop(Fate.DUPLICATE, "id", reason)
        self._keep_letter(stop, device.adapter, device.external_id, entry, sheet)
        self._synthesise(device, "gateway.identity_conflict", {"id": name[:80]}, entry.at, entry.wall, sheet)

    # What was not accepted.

    def _reject(
        self, stop: _Stop, adapter: Adapter | None, decoded: Decoded | None, entry: MessageEntry, sheet: Sheet
    ) -> Fate:
        if stop.fate is Fate.IGNORED:
            return Fate.IGNORED
        name = adapter.manifest.name if adapter is not None else ""
        serial = decoded.device if decoded is not None else ""
        seen = self.rejects.seen_before(entry.topic, entry.payload, dup=entry.dup, at=entry.at)
        if seen if self._live else entry.fate == Fate.DUPLICATE:
            return Fate.DUPLICATE
        self._keep_letter(stop, name, serial, entry, sheet)
        if stop.fate is Fate.UNKNOWN_DEVICE and adapter is not None:
            # Replayed messages were never unknown, so the strangers are not counted twice.
            self.rejects.quarantine(name, stop.place, entry, sheet)
        else:
            device = self.registry.find(name, serial) if serial else None
            speaker = device or self.registry.devices.get(SELF)
            if speaker is not None:
                data = {
                    "fate": stop.fate.value,
                    "reason": f"{stop.place}: {stop.reason}"[:300],
                    "topic": entry.topic[:200],
                }
                self._synthesise(speaker, "gateway.message_rejected", data, entry.at, entry.wall, sheet)
        return stop.fate

    def _replay_reject(self, entry: MessageEntry, sheet: Sheet) -> None:
        """A rejected message made an event of the gateway's own; the engine has to see it again."""
        if entry.fate in (Fate.UNDECODABLE, Fate.OVERSIZED):
            self.message(entry, sheet)
        else:
            self._tick(entry.at, sheet)
            if entry.fate == Fate.UNKNOWN_DEVICE:
                self.rejects.seen_before(entry.topic, entry.payload, dup=entry.dup, at=entry.at)

    def _replay_action(self, entry: ActionEntry, before: AnyEntry | None) -> None:
        """A dead letter that was accepted at last is no longer known as rejected; its message stands before."""
        retried = entry.name == "dead_letter.retry" and entry.outcome == "done"
        if retried and isinstance(before, MessageEntry) and before.fate not in STOPPED:
            self.rejects.forget(before.topic, before.payload)

    def _keep_letter(self, stop: _Stop, adapter: str, serial: str, entry: MessageEntry, sheet: Sheet) -> None:
        payload = redacted_bytes(entry.payload)
        self.rejects.keep(
            Rejected(
                fate=stop.fate,
                adapter=adapter,
                topic=entry.topic,
                device=serial or stop.place if stop.fate is Fate.UNKNOWN_DEVICE else serial,
                place=stop.place,
                reason=stop.reason,
                size=len(payload),
                payload=payload,
            ),
            entry.wall,
            sheet,
        )


class _Stop(Exception):
    """Ends a message's path with a fate and the reason."""

    def __init__(self, fate: Fate, place: str, reason: str) -> None:
        super().__init__(reason)
        self.fate = fate
        self.place = place
        self.reason = reason
