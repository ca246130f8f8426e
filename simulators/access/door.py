"""A door controller of the native format: contact, tamper and duress inputs, and, without a terminal, a card reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.access.doorway import Doorway, LeafChange
from simulators.habits import movement
from simulators.native import NativeDevice, Status
from simulators.people import Resident
from simulators.wire import Identity, Message, Now

REPORT_S = 60.0
DENIAL_EVERY_S = 3.0


class DoorController(NativeDevice):
    """Reports `access.door` on every change and every minute. With `people` it also reads cards.

    Obeys `open` (once), `lock` (lock-down), `unlock`, `hold_open` and `release` (stands unlocked), `close` (as usual).
    """

    faults: ClassVar[Mapping[str, str]] = {
        "forced": "broken open without a release; stays open until mended",
        "held": "opened in the ordinary way, then wedged open",
        "tamper": "the housing is opened",
        "duress": "a resident opens with the duress code",
        "denials": "somebody tries one unknown card after another (needs a reader of its own)",
    }

    def __init__(
        self,
        identity: Identity,
        seed: object,
        doorway: Doorway,
        people: Sequence[Resident] = (),
        passes_per_day: float = 0.0,
    ) -> None:
        super().__init__(identity, seed)
        self.doorway = doorway
        self._people = people
        self._passes_per_day = passes_per_day
        self._last_step: Now | None = None
        self._next_report = 0.0
        self._next_denial = 0.0
        self._tamper_told = False
        self._duress_told = False

    def begin(self, fault: str, now: Now, options: Mapping[str, float] | None = None) -> None:
        """As for every device; `forced` and `held` also move the leaf."""
        super().begin(fault, now, options)
        if fault == "forced":
            self.doorway.force(True)
        elif fault == "held":
            self.doorway.hold(True)
            self.doorway.release(now.wall, "granted")
            self.doorway.walk_through(now.wall, 0.5, 3.0)
        elif fault == "duress":
            self._duress_told = False

    def end(self, fault: str, now: Now) -> None:
        """As for every device; the leaf is let go."""
        super().end(fault, now)
        if fault == "forced":
            self.doorway.force(False)
        elif fault == "held":
            self.doorway.hold(False)
        elif fault == "tamper":
            self.due = now.wall

    def obey(self, identifier: str, command: str, args: Mapping[str, Any], now: Now) -> tuple[Status, str]:
        """`open` releases the lock once; the modes last until the next one."""
        if command == "open":
            if not self.doorway.release(now.wall, "remote"):
                return "rejected", "the door is locked down"
            self.doorway.walk_through(now.wall, 0.8, 3.0)
        elif command == "lock":
            self.doorway.mode = "locked"
        elif command in ("unlock", "hold_open", "release"):
            self.doorway.mode = "unlocked"
        elif command == "close":
            self.doorway.mode = "normal"
        else:
            known = "open, close, lock, unlock, hold_open, release"
            return "rejected", f"a door has no command {command!r}; it has {known}"
        self._next_report = now.wall
        self.due = now.wall
        return "done", ""

    def _step(self, now: Now) -> list[Message]:
        before = self._last_step or now
        self._last_step = now
        messages = self._tampering(now)
        if self._people:
            messages += self._reader(now, now.simulated - before.simulated)
        for change in self.doorway.advance(now.wall):
            messages.append(self._state(now, change))
        if now.wall >= self._next_report:
            messages.append(self._state(now, None))
        self.due = now.wall + self.tick
        return messages

    def _state(self, now: Now, change: LeafChange | None) -> Message:
        self._next_report = now.wall + REPORT_S
        data: dict[str, object] = {
            "state": "open" if self.doorway.opened else "closed",
            "locked": self.doorway.locked(now.wall),
            "forced": self.doorway.forced,
        }
        if change is not None and change.opened:
            data["cause"] = change.cause
        return self.event("access.door", data, now)

    def _reader(self, now: Now, elapsed: float) -> list[Message]:
        messages: list[Message] = []
        if self._happens(self._passes_per_day * movement(now.hour), elapsed):
            if self.random.random() < 0.02:
                messages.append(self._denied(now))
            else:
                messages.append(self._granted(now))
        if self.suffers("denials") and now.wall >= self._next_denial:
            self._next_denial = now.wall + DENIAL_EVERY_S
            messages.append(self._denied(now))
        return messages

    def _granted(self, now: Now) -> Message:
        person = self.random.choice(self._people)
        if self.doorway.release(now.wall, "granted"):
            self.doorway.walk_through(now.wall, self.random.uniform(0.5, 1.5), self.random.uniform(2.0, 5.0))
        data = {"credential_kind": "card", "person": person.name, "person_id": person.number, "card": person.card}
        return self.event("access.granted", data | {"direction": self.random.choice(("in", "out"))}, now)

    def _denied(self, now: Now) -> Message:
        card = f"{self.random.randrange(10**9, 10**10):010d}"
        return self.event("access.denied", {"credential_kind": "card", "card": card, "reason": "unknown card"}, now)

    def _tampering(self, now: Now) -> list[Message]:
        messages: list[Message] = []
        tampered = self.suffers("tamper")
        if tampered != self._tamper_told:
            self._tamper_told = tampered
            messages.append(self.event("access.tamper", {"active": tampered, "part": "housing"}, now))
        if self.suffers("duress") and not self._duress_told:
            self._duress_told = True
            self.doorway.release(now.wall, "granted")
            self.doorway.walk_through(now.wall, 1.0, 4.0)
            data = {"person": self._people[0].name, "credential_kind": "pin"} if self._people else {}
            messages.append(self.event("access.duress", data or {"credential_kind": "pin"}, now))
        return messages
