"""Which rules an event of one device and kind has to be shown to, worked out once and kept.

Rules are filed under their kinds, and there under the narrowest word of their device filter, so that rules which cannot
match are never looked at: neither for an event, nor when a device is seen for the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.model.place import Device
from rules.conditions import CompiledRule, Silent, Track
from rules.conditions.track import AVAILABILITY
from rules.expressions import Truthful, compile_any

ANY = ""
"""Stands for every kind, and for every device."""


class Entry(NamedTuple):
    """One rule for one device and kind. `scope` is its place, which `scope_by` of the rule may divide further."""

    wakes: Truthful
    scope: str
    rule: CompiledRule
    covered: bool


class Plan(NamedTuple):
    """What to do with the events of one device and kind.

    `fixed` entries have a scope that follows from the device; of `read` ones a part stands in the event. `measured` are
    the fixed ones that work a figure out, for which nearly every event counts. `stirs` is whether an event wakes any of
    the other fixed ones, `tracks` what stands open under their rules: an event that stirs nothing, where nothing stands
    open, concerns none of them. `late` are the entries that a late event is shown to,
    `silences` those that only want to know that something was heard, replayed or not. `heeded` is whether there is any
    of all these, or a look back: most devices say things that no rule asks for.
    """

    device: Device | None
    site: str
    stirs: Truthful
    tracks: tuple[Mapping[str, Track], ...]
    fixed: tuple[Entry, ...]
    measured: tuple[Entry, ...]
    read: tuple[Entry, ...]
    late: tuple[Entry, ...]
    silences: tuple[Entry, ...]
    looks_back: tuple[str, ...]
    heeded: bool
    speaks: bool


class Index:
    """All rules, filed for look-up."""

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        self.rules = tuple(rules)
        self._filed: dict[tuple[str, str, str], list[int]] = {}
        self._looks_back: dict[str, set[str]] = {}
        self._compiled: dict[tuple[str, ...], Truthful] = {}
        for number, compiled in enumerate(self.rules):
            for kind in _heeded(compiled):
                for word, name in _narrowest(compiled):
                    self._filed.setdefault((kind, word, name), []).append(number)
            for kind, fields in compiled.looks_back.items():
                self._looks_back.setdefault(kind, set()).update(fields)

    def plan(self, device_id: str, kind: str, device: Device | None, site: str) -> Plan:
        """The plan for a device's events of a kind. `site` counts where the device is not registered."""
        rules = [self.rules[number] for number in self._candidates(kind, device, site)]
        entries = [self._entry(rule, kind, device_id, device, site) for rule in rules]
        entries = [entry for entry in entries if entry.covered or _only_expected(entry.rule, kind)]
        judging = [entry for entry in entries if not isinstance(entry.rule.condition, Silent)]
        fixed = tuple(entry for entry in judging if entry.rule.scope_by is None)
        rare = [entry for entry in fixed if entry.rule.measure is None]
        silences = tuple(entry for entry in entries if isinstance(entry.rule.condition, Silent))
        looks_back = self.looked_back_on(kind)
        return Plan(
            device=device,
            site=device.site if device else site,
            stirs=self._stirs(kind, rare),
            tracks=tuple(entry.rule.tracks for entry in rare),
            fixed=fixed,
            measured=tuple(entry for entry in fixed if entry.rule.measure is not None),
            read=tuple(entry for entry in judging if entry.rule.scope_by is not None),
            late=tuple(entry for entry in judging if entry.rule.rule.late),
            silences=silences,
            looks_back=looks_back,
            heeded=bool(entries or looks_back),
            speaks=not kind.startswith("gateway."),
        )

    def _stirs(self, kind: str, entries: Iterable[Entry]) -> Truthful:
        """Whether an event wakes any of the entries: compiled once for all devices that the same rules cover."""
        predicates = tuple(entry.rule.condition.wakes(kind) for entry in entries)
        sources = tuple(predicate.source for predicate in predicates)
        stirs = self._compiled.get(sources)
        if stirs is None:
            stirs = self._compiled[sources] = compile_any(predicates)
        return stirs

    def looked_back_on(self, kind: str) -> tuple[str, ...]:
        """The fields of a kind whose earlier values some rule asks for."""
        return tuple(sorted(self._looks_back.get(kind, ())))

    def _candidates(self, kind: str, device: Device | None, site: str) -> list[int]:
        places = [(ANY, ANY), ("site", device.site if device else site)]
        if device is not None:
            places += [("id", device.id), ("type", device.type)]
            places += [("zone", device.zone or ANY), ("building", device.building or ANY)]
        kinds = (kind,) if kind.startswith("gateway.") else (kind, ANY)
        filed = (self._filed.get((one, word, name), ()) for one in kinds for word, name in places)
        return sorted({number for numbers in filed for number in numbers})

    def _entry(self, compiled: CompiledRule, kind: str, device_id: str, device: Device | None, site: str) -> Entry:
        wakes = compiled.condition.wakes(kind).holds
        scope = scope_of(compiled, device_id, device, site)
        return Entry(wakes, scope, compiled, covers(compiled, device, site))


def covers(compiled: CompiledRule, device: Device | None, site: str) -> bool:
    """Whether the rule's device filter admits the device. One that is not registered has a site and nothing else."""
    words = compiled.rule.devices
    if device is None:
        return not (words.id or words.type or words.zone or words.building) and (not words.site or site in words.site)
    return (
        (not words.id or device.id in words.id)
        and (not words.type or device.type in words.type)
        and (not words.zone or device.zone in words.zone)
        and (not words.building or device.building in words.building)
        and (not words.site or device.site in words.site)
    )


def scope_of(compiled: CompiledRule, device_id: str, device: Device | None, site: str) -> str:
    """The place of the device that the rule's scope names; the device itself where it has no such place."""
    match compiled.rule.scope:
        case "zone":
            place = device.zone if device else None
        case "building":
            place = device.building if device else None
        case "site":
            place = device.site if device else site
        case _:
            place = None
    return place or device_id


def _heeded(compiled: CompiledRule) -> tuple[str, ...]:
    """The kinds a rule is filed under."""
    kinds = compiled.rule.kinds
    if not isinstance(compiled.condition, Silent):
        return kinds
    return tuple(dict.fromkeys((*kinds, AVAILABILITY))) if kinds else (ANY,)


def _narrowest(compiled: CompiledRule) -> list[tuple[str, str]]:
    """The filter word that admits the fewest devices, with its names."""
    words = compiled.rule.devices
    if compiled.rule.expect is None:
        for word in ("id", "type", "zone", "building", "site"):
            names: tuple[str, ...] = getattr(words, word)
            if names:
                return [(word, name) for name in names]
    return [(ANY, ANY)]


def _only_expected(compiled: CompiledRule, kind: str) -> bool:
    """Whether the rule waits for this kind, from whichever device."""
    return compiled.rule.expect is not None and kind in compiled.rule.expect.on
