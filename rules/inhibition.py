"""Which conditions explain which others: an outage in the building explains that its devices are offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.model.place import Device
from rules.conditions import CompiledRule, Track

#: From the smallest to the largest: a place is explained by one that it is in.
LEVELS = ("device", "zone", "building", "site")

Key = tuple[str, str]
"""A rule's id and a scope."""


def place_of(scope: str) -> str:
    """The device, zone, building or site that a scope is of; an expression divides it further."""
    return scope.partition("/")[0]


def upstream(device: str, devices: Mapping[str, Device]) -> Iterator[str]:
    """The devices that one depends on, the nearest first: what it is connected via, then what powers it, and so on."""
    seen = {device}
    row = [device]
    while row:
        further: list[str] = []
        for name in row:
            known = devices.get(name)
            for other in (known.connected_via, known.powered_by) if known is not None else ():
                if other and other not in seen:
                    seen.add(other)
                    further.append(other)
        yield from further
        row = further


def named(pattern: str, rule: str) -> bool:
    """Whether a name in `inhibited_by`, perhaps with `*` at its end, means the rule."""
    return rule.startswith(pattern[:-1]) if pattern.endswith("*") else rule == pattern


class Inhibition:
    """Knows what stands, as far as it can explain something, and finds the cause of a condition."""

    def __init__(self, rules: Iterable[CompiledRule], devices: Mapping[str, Device]) -> None:
        self._devices = devices
        self._rules = {rule.rule.id: rule for rule in rules}
        self._causes = {
            name: tuple(
                cause for pattern in rule.rule.inhibited_by.rules for cause in self._rules if named(pattern, cause)
            )
            for name, rule in self._rules.items()
            if rule.rule.inhibited_by is not None
        }
        self._explained: dict[str, list[str]] = {}
        for name, causes in self._causes.items():
            for cause in dict.fromkeys(causes):
                self._explained.setdefault(cause, []).append(name)
        self._standing: dict[str, dict[str, set[str]]] = {}
        self._held: dict[Key, set[Key]] = {}
        self._active: dict[str, set[str]] = {name: set() for name in self._causes}
        self._hubs: set[str | None] | None = None
        for name, rule in self._rules.items():
            for scope, track in rule.reported.items():
                if track.active:
                    self.note(name, scope)
                if track.withheld is not None and track.released is None:
                    self.hold((name, scope), track.withheld)

    def topology_changed(self) -> None:
        """Other devices may hang on others now."""
        self._hubs = None

    def note(self, rule: str, scope: str) -> None:
        """A condition stands."""
        if rule in self._active:
            self._active[rule].add(scope)
        if rule in self._explained:
            self._standing.setdefault(rule, {}).setdefault(place_of(scope), set()).add(scope)

    def forget(self, rule: str, scope: str) -> list[Key]:
        """A condition has ended; those that were withheld because of it, in order."""
        if rule in self._active:
            self._active[rule].discard(scope)
        places = self._standing.get(rule, {})
        scopes = places.get(place_of(scope), set())
        scopes.discard(scope)
        if not scopes:
            places.pop(place_of(scope), None)
        return sorted(self._held.pop((rule, scope), ()))

    def hold(self, key: Key, cause: Key) -> None:
        """A condition is withheld because of a cause."""
        self._held.setdefault(cause, set()).add(key)

    def let_go(self, key: Key, cause: Key) -> None:
        """It is no longer."""
        held = self._held.get(cause)
        if held is not None:
            held.discard(key)
            if not held:
                del self._held[cause]

    def explained_by(self, rule: str, scope: str) -> list[Key]:
        """What stands already and might be explained by a cause that came: to be looked at, in order."""
        if rule not in self._explained:
            return []
        if self._hubs is None:
            self._hubs = {hub for device in self._devices.values() for hub in (device.connected_via, device.powered_by)}
        place = place_of(scope)
        wide = self._rules[rule].rule.level != "device" or place in self._hubs
        found: set[Key] = set()
        for name in self._explained[rule]:
            found.update(
                (name, other)
                for other in self._active[name]
                if (wide or place_of(other) == place) and (name, other) != (rule, scope)
            )
        return sorted(found)

    def cause_of(self, rule: str, scope: str, track: Track) -> Key | None:
        """The condition that explains this one; the first of `inhibited_by`, and there the nearest."""
        for cause in self._causes.get(rule, ()):
            places = self._standing.get(cause)
            if not places:
                continue
            for name in self._places(rule, scope, track, cause):
                for other in sorted(places.get(name, ())):
                    if not self._rests_on((cause, other), (rule, scope)):
                        return cause, other
        return None

    def top(self, cause: Key) -> Key:
        """The cause at the top: the one that is not itself withheld."""
        while (above := self._above(cause)) is not None:
            cause = above
        return cause

    def _places(self, rule: str, scope: str, track: Track, cause: str) -> Iterator[str]:
        """Where a cause may stand to explain it."""
        own = place_of(scope)
        level, wanted = self._rules[rule].rule.level, self._rules[cause].rule.level
        if wanted == level and rule != cause:
            yield own
        if wanted == "device":
            if level == "device":
                yield from upstream(own, self._devices)
            return
        device = self._devices.get(own if level == "device" else track.device or "")
        if device is not None and LEVELS.index(wanted) > LEVELS.index(level):
            place = {"zone": device.zone, "building": device.building, "site": device.site}[wanted]
            if place:
                yield place

    def _above(self, key: Key) -> Key | None:
        track = self._rules[key[0]].reported.get(key[1]) if key[0] in self._rules else None
        return None if track is None or track.released is not None else track.withheld

    def _rests_on(self, cause: Key, key: Key) -> bool:
        """Whether a cause is itself explained by what it should explain, or is the very same."""
        found: Key | None = cause
        while found is not None:
            if found == key:
                return True
            found = self._above(found)
        return False
