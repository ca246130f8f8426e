"""Keeps the lists that devices hold themselves like the passes: the difference is sent until the device has it.

One message is under way to a device at a time, as terminals demand. What is to be taken off goes first. A message
that is not answered is sent again, more and more seldom; all of them may come twice without harm. A device that was
replaced, or of which an engineer says so, is told everything again.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.errors import Conflict
from gateway.model import Actor, Command, CommandResult, Device, DeviceList, ListEntry, Pass, Role
from gateway.services.arguments import Arguments
from gateway.services.command_words import LIST_PUT, LIST_REMOVE
from gateway.services.common import Common
from gateway.services.list_wishes import listed, wish
from gateway.services.moment import Moment
from gateway.services.passes import Passes, normal
from gateway.services.permission import demand
from gateway.services.templates import plain

#: Timers: places changed; values of a device are to be looked at; no answer; try what failed; a window begins or ends.
SCAN, LOOK, ANSWER, AGAIN, WINDOW = "list.scan", "list.look", "list.answer", "list.again", "list.window"
#: The setting of a device that says of which kind of pass it holds a list.
SETTING = "holds_list"
KINDS = ("plate", "card", "person")
#: The reason of a list whose device does not answer; all others are the device's own words.
NO_ANSWER = "no_answer"
#: So many values are looked at before others get their turn, in one go.
_SLICE, _PAUSE = 500, 0.02
_ANSWER_WITHIN = 15.0
_AGAIN_FIRST, _AGAIN_MOST = 30.0, 3600.0
#: Windows are looked for at least this often: the wall clock may be set.
_LOOK_FOR_WINDOWS = 600.0
#: How a list stands is told at most so often while it moves, in seconds.
_TELL_EVERY = 1.0


class _Held:
    """One device's list, while it is kept."""

    def __init__(self, record: DeviceList) -> None:
        self.record = record
        self.entries: dict[str, ListEntry] = {}
        self.to_look: OrderedDict[str, None] = OrderedDict()
        self.to_remove: OrderedDict[str, None] = OrderedDict()
        self.to_put: OrderedDict[str, None] = OrderedDict()
        self.under_way: tuple[str, str, str] | None = None
        """The message's id, the value's key, and what the device will hold when it says yes."""
        self.silent = 0
        self.wait_until = 0.0
        """On the steady clock: before that nothing is sent to a device that does not answer."""
        self.states: Counter[str] = Counter()
        self.reason = record.reason


class ListSync:
    """All lists at devices."""

    def __init__(self, common: Common, passes: Passes) -> None:
        self._common = common
        self._passes = passes
        self._lists: dict[str, _Held] = {}
        self._windows: list[tuple[float, str]] = []

    def restore(self, lists: Iterable[DeviceList], entries: Iterable[ListEntry]) -> None:
        """Takes over what is stored. What was under way is sent again: that does no harm."""
        self._lists = {one.id: _Held(one) for one in lists}
        for one in entries:
            held = self._lists.get(one.device)
            if held is not None:
                state = "pending" if one.state == "sent" else one.state
                held.entries[one.value] = replace(one, state=state)
                held.states[state] += 1
        for ident, held in self._lists.items():
            if held.states["failed"]:
                self._common.timers.set(AGAIN, ident, 0.0)
        self.places_changed()

    def places_changed(self) -> None:
        """Devices, zones or sites are others now: looked at with the next turn."""
        self._common.timers.set(SCAN, "", 0.0)

    def passes_changed(self, old: Pass | None, new: Pass | None, moment: Moment) -> None:
        """A pass was made, changed or taken away."""
        if not self._lists or (old is not None and new is not None and listed(old) == listed(new)):
            return
        for one in (old, new):
            if one is None or one.kind not in KINDS:
                continue
            if one is new:
                self._watch(one, moment)
            for ident, held in self._lists.items():
                if held.record.site == one.site and held.record.kind == one.kind:
                    held.to_look[normal(one.kind, one.value)] = None
                    self._common.timers.set(LOOK, ident, moment.now)
        self._arm_windows(moment)

    # Timers

    def scan(self, _key: str, moment: Moment) -> None:
        """Finds the devices that hold lists, and looks at all their values."""
        holders = {one.id: kind for one in self._common.world.devices.values() if (kind := self._kind(one))}
        for ident in [ident for ident in self._lists if ident not in holders]:
            self._forget(ident, moment)
        self._windows = []
        for one in self._passes.all.values() if holders else ():
            self._watch(one, moment)
        for ident, kind in holders.items():
            device = self._common.world.devices[ident]
            held = self._lists.get(ident)
            if held is None or held.record.kind != kind:
                if held is not None:
                    self._forget(ident, moment)
                record = DeviceList(id=ident, site=device.site, kind=kind, serial=device.external_id)
                held = self._lists[ident] = _Held(record)
            elif held.record.serial != device.external_id:
                held.record = replace(held.record, serial=device.external_id)
                self._doubt(held, moment, empty=True)
            self._look_at_all(held, moment)
        self._arm_windows(moment)

    def look(self, ident: str, moment: Moment) -> None:
        """Compares some values of a device with the passes, and goes on later."""
        held, device = self._lists.get(ident), self._common.world.devices.get(ident)
        if held is None or device is None:
            return
        places = self._common.world.places(device)
        for _ in range(min(_SLICE, len(held.to_look))):
            key, _nothing = held.to_look.popitem(last=False)
            self._compare(held, device, key, places, moment)
        if held.to_look:
            self._common.timers.set(LOOK, ident, moment.now + _PAUSE)
        self._send(held, device, moment)
        self._tell(held, moment)

    def unanswered(self, ident: str, moment: Moment) -> None:
        """The device said nothing, or could not be written to for a while."""
        held, device = self._lists.get(ident), self._common.world.devices.get(ident)
        if held is None or device is None:
            return
        if held.under_way is not None:
            _, key, _ = held.under_way
            held.under_way = None
            held.silent += 1
            entry = held.entries[key]
            held.reason = NO_ANSWER
            self._keep(held, replace(entry, state="pending", reason=held.reason), moment)
            self._queue(held, key)
            held.wait_until = moment.now + min(_ANSWER_WITHIN * 2 ** min(held.silent, 10), _AGAIN_MOST)
            self._common.timers.set(ANSWER, ident, held.wait_until)
        self._send(held, device, moment)
        self._tell(held, moment)

    def again(self, ident: str, moment: Moment) -> None:
        """What the device refused is tried again."""
        held, device = self._lists.get(ident), self._common.world.devices.get(ident)
        if held is None or device is None:
            return
        for key, one in held.entries.items():
            if one.state == "failed":
                self._queue(held, key)
        self._send(held, device, moment)
        self._tell(held, moment)

    def window(self, _key: str, moment: Moment) -> None:
        """Passes begin or end."""
        while self._windows and self._windows[0][0] <= moment.wall:
            _at, ident = heapq.heappop(self._windows)
            one = self._passes.all.get(ident)
            if one is not None:
                self.passes_changed(None, one, moment)
        self._arm_windows(moment)

    # What devices do

    def came_online(self, ident: str, moment: Moment) -> None:
        """The device is there."""
        held, device = self._lists.get(ident), self._common.world.devices.get(ident)
        if held is not None and device is not None and held.under_way is None:
            held.silent, held.wait_until = 0, 0.0
            self._send(held, device, moment)
            self._tell(held, moment)

    def result(self, ident: str, result: CommandResult, moment: Moment) -> bool:
        """Takes an answer to a message of ours; False where it answers none of them."""
        if not result.command.startswith("ls-"):
            return False
        held, device = self._lists.get(ident), self._common.world.devices.get(ident)
        if held is None or device is None or held.under_way is None or held.under_way[0] != result.command:
            return True
        _, key, holds = held.under_way
        held.under_way, held.silent = None, 0
        self._common.timers.set(ANSWER, ident, None)
        entry = held.entries[key]
        if result.status != "done":
            held.reason, attempts = plain(result.detail or result.status, 200), entry.attempts + 1
            self._keep(held, replace(entry, state="failed", attempts=attempts, reason=held.reason), moment)
            self._common.timers.set(AGAIN, ident, moment.now + min(_AGAIN_FIRST * 2 ** min(attempts, 10), _AGAIN_MOST))
        elif not holds and not entry.wanted:
            self._drop(held, entry, moment)
        else:
            now_held = replace(entry, held=holds, attempts=0, reason="")
            self._keep(held, replace(now_held, state="held" if holds == entry.wanted else "pending"), moment)
            if holds != entry.wanted:
                self._queue(held, key)
        self._send(held, device, moment)
        self._tell(held, moment)
        return True

    # What people do

    def resync(self, args: Arguments, actor: Actor, moment: Moment) -> DeviceList:
        """`list.resync{device, empty?}`: all of the list is sent again; `empty` says that the device has lost it."""
        device, empty = self._common.world.device(args.ident("device"), actor), args.flag("empty")
        args.end()
        demand(actor, Role.ENGINEER, "sending a device its list again")
        held = self._lists.get(device.id)
        if held is None:
            raise Conflict(f"device '{device.id}' holds no list: give it the setting {SETTING} (plate, card or person)")
        self._doubt(held, moment, empty=empty)
        self._look_at_all(held, moment)
        moment.note(actor.name, "list.resync", device.id, empty=empty or None)
        self._tell(held, moment)
        return held.record

    # Inside

    def _kind(self, device: Device) -> str:
        kind = device.settings.get(SETTING)
        takes = self._common.world.takes(device, LIST_PUT) and self._common.world.takes(device, LIST_REMOVE)
        return str(kind) if device.enabled and kind in KINDS and takes else ""

    def _compare(self, held: _Held, device: Device, key: str, places: tuple[str, ...], moment: Moment) -> None:
        kind = held.record.kind
        here = [self._passes.all[ident] for ident in self._passes.of_value(kind, key)]
        site = self._common.world.sites.get(device.site)
        zone = device.timezone or (site.timezone if site is not None else "UTC")
        wanted = wish(key, (one for one in here if one.site == device.site), places, moment.wall, zone)
        entry = held.entries.get(key)
        under_way = held.under_way is not None and held.under_way[1] == key
        if entry is not None and not wanted and not entry.held and not under_way:
            self._unqueue(held, key)
            self._drop(held, entry, moment)
            return
        if entry is None:
            if not wanted:
                return
            ident = self._common.ids.next("le")
            entry = ListEntry(id=ident, site=device.site, device=device.id, value=key, wanted=wanted)
        elif entry.wanted == wanted and entry.state in ("sent", "failed"):
            return
        elif wanted == entry.held:
            if entry.state != "held" or entry.wanted != wanted:
                self._keep(held, replace(entry, wanted=wanted, state="held", reason="", attempts=0), moment)
            self._unqueue(held, key)
            return
        state = "sent" if under_way else "pending"
        self._keep(held, replace(entry, wanted=wanted, state=state, reason="", attempts=0), moment)
        if not under_way:
            self._queue(held, key)

    def _queue(self, held: _Held, key: str) -> None:
        self._unqueue(held, key)
        (held.to_put if held.entries[key].wanted else held.to_remove)[key] = None

    def _unqueue(self, held: _Held, key: str) -> None:
        held.to_put.pop(key, None)
        held.to_remove.pop(key, None)

    def _send(self, held: _Held, device: Device, moment: Moment) -> None:
        """The next message, if none is under way and the device is there."""
        gone = self._common.world.online.get(device.id) is False
        if held.under_way is not None or moment.now < held.wait_until or gone:
            return
        queue = held.to_remove or held.to_put
        if not queue:
            return
        key, _nothing = queue.popitem(last=False)
        entry = held.entries[key]
        args: dict[str, Any] = msgspec.json.decode(entry.wanted) if entry.wanted else {"value": key}
        name = LIST_PUT if entry.wanted else LIST_REMOVE
        draft = Command(
            id=self._common.ids.next("ls"), site=device.site, device=device.id, name=name, args=args,
            by="system", requested_at=moment.wall, sent_at=moment.wall,
        )  # fmt: skip
        held.under_way = (draft.id, key, entry.wanted)
        self._keep(held, replace(entry, state="sent", held="?"), moment)
        self._common.timers.set(ANSWER, device.id, moment.now + _ANSWER_WITHIN)
        moment.out.instruct(draft)

    def _doubt(self, held: _Held, moment: Moment, *, empty: bool) -> None:
        """Nobody knows what the device holds, or that it holds nothing."""
        held.under_way, held.silent, held.wait_until = None, 0, 0.0
        self._common.timers.set(ANSWER, held.record.id, None)
        for key, entry in list(held.entries.items()):
            now_held = "" if empty else "?"
            self._keep(held, replace(entry, held=now_held, state="pending", attempts=0, reason=""), moment)
            self._queue(held, key)

    def _look_at_all(self, held: _Held, moment: Moment) -> None:
        kind, site = held.record.kind, held.record.site
        held.to_look.update(dict.fromkeys(held.entries))
        for one in self._passes.all.values():
            if one.kind == kind and one.site == site:
                held.to_look[normal(kind, one.value)] = None
        self._common.timers.set(LOOK, held.record.id, moment.now)

    def _watch(self, one: Pass, moment: Moment) -> None:
        for bound in (one.from_at, one.until_at):
            if bound is not None and bound > moment.wall and one.kind in KINDS:
                heapq.heappush(self._windows, (bound, one.id))

    def _arm_windows(self, moment: Moment) -> None:
        while self._windows and self._windows[0][1] not in self._passes.all:
            heapq.heappop(self._windows)
        if self._windows and self._lists:
            wait = min(max(self._windows[0][0] - moment.wall, 0.0), _LOOK_FOR_WINDOWS)
            self._common.timers.set(WINDOW, "", moment.now + wait)

    def _keep(self, held: _Held, entry: ListEntry, moment: Moment) -> None:
        before = held.entries.get(entry.value)
        if before is not None:
            held.states[before.state] -= 1
        entry = replace(entry, version=entry.version + 1)
        held.states[entry.state] += 1
        held.entries[entry.value] = entry
        moment.out.put(entry)

    def _drop(self, held: _Held, entry: ListEntry, moment: Moment) -> None:
        held.states[held.entries.pop(entry.value).state] -= 1
        moment.out.remove(entry)

    def _forget(self, ident: str, moment: Moment) -> None:
        """The device holds no list of ours any more; what is on it stays on it."""
        held = self._lists.pop(ident)
        for what in (LOOK, ANSWER, AGAIN):
            self._common.timers.set(what, ident, None)
        for entry in list(held.entries.values()):
            self._drop(held, entry, moment)
        moment.out.remove(held.record)

    def _tell(self, held: _Held, moment: Moment) -> None:
        """How the list stands, for people; written when it has changed, and not with each answer."""
        before, failed = held.record, held.states["failed"]
        pending = held.states["pending"] + held.states["sent"] + len(held.to_look)
        told = replace(
            before,
            state="pending" if pending else "failed" if failed else "in_sync",
            entries=held.states["held"],
            pending=pending,
            failed=failed,
            reason=held.reason if failed or held.silent else "",
        )
        moved = (told.state, told.reason, told.failed) != (before.state, before.reason, before.failed)
        due = not pending or moment.wall - before.changed_at >= _TELL_EVERY
        if moved or (due and told != before) or before.version == 1:
            held.record = replace(told, changed_at=moment.wall, version=told.version + 1)
            moment.out.put(held.record)
        elif told != before:
            self._common.timers.set(LOOK, before.id, moment.now + _TELL_EVERY)
