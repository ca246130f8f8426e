"""Timeline tests as they stand in packs: now a device says that, then this alert is wanted, and no other."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.model.catalogue import Catalogue
from gateway.model.place import Device
from rules.document import Node
from rules.durations import parse_duration
from rules.language import Rule
from rules.reading import nearest

OUTCOMES = ("raised", "again", "withheld", "cleared")
STEP = ("at", "say", "from", "every", "until", "late", "replay", "want", "scope")
DEVICE = ("type", "zone", "building", "site", "connected_via", "powered_by", "report_interval")
TEST = ("name", "device", "devices", "with", "start", "timezone", "timeline")
START = 1_767_225_600.0
"""Where a test's clock starts if nothing else is said: 2026-01-01 00:00 UTC."""
ZONE = "Asia/Shanghai"
_MOST_EVENTS = 5000


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A device says something, `at` seconds into the test."""

    at: float
    device: str
    kind: str
    data: dict[str, Any]
    late: bool = False
    replay: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that must come at exactly that second. `scope` None: whichever."""

    at: float
    outcome: str
    scope: str | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One test of one rule. Whatever is not wanted must not come.

    `with_rules` are the ids of rules that judge along, as causes of `inhibited_by`; what they say is not wanted of
    anybody. `start` is in Unix seconds, `timezone` that of all sites.
    """

    rule: Rule
    with_rules: tuple[str, ...] = ()
    start: float = START
    timezone: str = ZONE
    name: str
    file: str
    line: int
    devices: tuple[Device, ...]
    said: tuple[Said, ...]
    wanted: tuple[Wanted, ...]
    length: float


def read_timelines(node: Node, rule: Rule, catalogue: Catalogue) -> list[Timeline]:
    """The tests at `node`."""
    found = [_Reading(item, rule, catalogue).timeline() for item in node.items()]
    return [timeline for timeline in found if timeline is not None]


class _Reading:
    """One test being read."""

    def __init__(self, node: Node, rule: Rule, catalogue: Catalogue) -> None:
        self.node = node
        self.rule = rule
        self.catalogue = catalogue
        self.devices: dict[str, Device] = {}
        self.said: list[Said] = []
        self.wanted: list[Wanted] = []
        self.length = 0.0

    def timeline(self) -> Timeline | None:
        words = self.node.words(TEST, "a test")
        if not {"name", "timeline"} <= words.keys():
            if self.node.is_mapping:
                self.node.problem("a test needs a name and a timeline", "write `- name: …` and `timeline: […]`")
            return None
        if "devices" in words:
            for key, value in words["devices"].pairs("devices"):
                self.devices[key.shown] = self._device(key.shown, value)
        else:
            self.devices["device-1"] = self._device("device-1", words.get("device"))
        for item in words["timeline"].items():
            self._step(item)
        zone = self._zone(words["timezone"]) if "timezone" in words else ZONE
        return Timeline(
            rule=self.rule,
            with_rules=words["with"].texts("with") if "with" in words else (),
            start=self._start(words["start"], zone) if "start" in words else START,
            timezone=zone,
            name=words["name"].text("name") or "",
            file=self.node.document.file,
            line=self.node.line,
            devices=tuple(self.devices.values()),
            said=tuple(sorted(self.said, key=lambda said: said.at)),
            wanted=tuple(sorted(self.wanted, key=lambda wanted: wanted.at)),
            length=self.length,
        )

    def _device(self, name: str, node: Node | None) -> Device:
        words = node.words(DEVICE, "a device") if node is not None else {}
        told = {word: words[word].text(word) for word in DEVICE[:-1] if word in words}
        types = self.rule.devices.type
        interval = _moment(words["report_interval"], "report_interval") if "report_interval" in words else 0.0
        return Device(
            id=name,
            site=told.get("site") or (self.rule.devices.site[0] if self.rule.devices.site else "site-1"),
            adapter="test",
            external_id=name,
            type=told.get("type") or (types[0] if types else "device"),
            zone=told.get("zone"),
            building=told.get("building"),
            connected_via=told.get("connected_via"),
            powered_by=told.get("powered_by"),
            report_interval=interval or 0.0,
        )

    def _zone(self, node: Node) -> str:
        text = node.text("timezone") or ZONE
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError):
            node.problem(f"no time zone is called '{text}'", "write one like `Asia/Shanghai` or `Europe/Berlin`")
            return ZONE
        return text

    def _start(self, node: Node, zone: str) -> float:
        """A local time."""
        text = node.text("start") or ""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
        except ValueError:
            node.problem(f"'{text}' is no time", "write `start: 2026-03-02T21:50`, in the time zone of the test")
            return START

    def _step(self, node: Node) -> None:
        words = node.words(STEP, "a step of a timeline")
        at = _moment(words["at"], "at") if "at" in words else None
        if at is None:
            if words and "at" not in words:
                node.problem("the step has no time", "write `at: 30s`")
            return
        last = at
        if "say" in words:
            last = self._say(words, at)
        if "want" in words:
            for item in words["want"].items():
                outcome = item.one_of(OUTCOMES, "an outcome")
                scope = words["scope"].text("scope") if "scope" in words else None
                if outcome is not None:
                    self.wanted.append(Wanted(at=at, outcome=outcome, scope=scope))
        self.length = max(self.length, last)

    def _say(self, words: dict[str, Node], at: float) -> float:
        """Adds what is said, repeated if the step asks for it; returns the time of the last."""
        device = words["from"].text("from") if "from" in words else next(iter(self.devices), "device-1")
        if device not in self.devices:
            words["from"].problem(f"the test has no device '{device}'", nearest(device or "", list(self.devices)))
        times = self._times(words, at)
        for kind, value in words["say"].pairs("say"):
            data = value.plain() if value.is_mapping else {}
            self._check(kind, value, data)
            for moment in times:
                self.said.append(
                    Said(
                        at=moment,
                        device=device or "",
                        kind=kind.shown,
                        data=data,
                        late=bool(words["late"].boolean("late")) if "late" in words else False,
                        replay=bool(words["replay"].boolean("replay")) if "replay" in words else False,
                    )
                )
        return times[-1]

    def _times(self, words: dict[str, Node], at: float) -> list[float]:
        every = words["every"].duration("every") if "every" in words else None
        until = _moment(words["until"], "until") if "until" in words else None
        if every is None or until is None:
            if "every" in words or "until" in words:
                words["at"].problem("every and until stand together", "write `every: 10s, until: 2m`")
            return [at]
        count = int((until - at) / every + 1e-9) + 1
        if not 0 < count <= _MOST_EVENTS:
            words["until"].problem(f"that makes {max(count, 0)} events, not 1 to {_MOST_EVENTS}")
            return [at]
        return [at + every * index for index in range(count)]

    def _check(self, kind: Node, value: Node, data: dict[str, Any]) -> None:
        known = self.catalogue.get(kind.shown)
        if known is None:
            close = self.catalogue.suggest(kind.shown)
            kind.problem(f"the catalogue has no kind '{kind.shown}'", f"did you mean '{close}'?" if close else "")
            return
        for field in self.catalogue.unknown_fields(kind.shown, data):
            close = self.catalogue.suggest(kind.shown, field)
            hint = f"did you mean '{close}'?" if close else ""
            value.problem(f"{kind.shown} has no field '{field}'", hint, field)
        misfit = self.catalogue.misfit(kind.shown, data)
        if misfit is not None:
            text = misfit.field if misfit.field in data else ""
            value.problem(f"{kind.shown}.{misfit.field}: {misfit.reason}", text=text)


def _moment(node: Node, what: str) -> float | None:
    """Seconds since the start of the test; `0s` is its start."""
    text = node.text(what)
    if text is None:
        return None
    if text in ("0s", "0"):
        return 0.0
    try:
        return parse_duration(text)
    except ValueError as error:
        node.problem(f"{what}: {error}")
        return None
