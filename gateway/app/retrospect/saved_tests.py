"""An alert that was raised, as a test of its rule: its evidence and what its devices said around it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine as Database

from gateway.app.definitions import LoadedDefinitions, load_definitions
from gateway.app.retrospect.backtests import longest
from gateway.app.retrospect.sources import clock, lookback, reading
from gateway.app.retrospect.why import alert_of
from gateway.app.rule_packs import rules_in_force
from gateway.config import Home, Settings
from gateway.errors import Conflict, NotFound
from gateway.model import Alert, Device, Event
from rules.conditions import CompiledRule
from rules.conditions.track import AVAILABILITY
from rules.inputs import Excused, Heard, Input, Placed, Told
from rules.language import Rule
from rules.plan import scope_of
from rules.saving import CannotBeSaved, Story, save_test

#: What is looked at before an alert at least, and after it at most, in seconds.
_BEFORE, _AFTER = 3600.0, 1800.0


def saved_test(home: Home, settings: Settings, ident: str, name: str = "") -> tuple[str, str]:
    """The rule's id and the test's YAML. Raises `NotFound`, or `Conflict` where the alert does not come again."""
    known = load_definitions(home, kept=True)
    with reading(home, settings) as database:
        alert = alert_of(database, ident)
        rule = rules_in_force(home, settings, known.catalogue).get(alert.rule)
        if rule is None:
            raise NotFound("rule", alert.rule)
        story = _story(database, settings, known, rule, alert)
    title = name or f"{alert.title.get('en') or alert.rule}, {clock(alert.raised_at)}"
    if rule.personal and not name:
        title = f"as it was raised at {clock(alert.raised_at)}"
    try:
        return rule.id, save_test(story, title, known.catalogue)
    except CannotBeSaved as error:
        raise Conflict(f"alert '{ident}' cannot be made a test: {error}") from error


def _story(database: Database, settings: Settings, known: LoadedDefinitions, rule: Rule, alert: Alert) -> Story:
    begin = min([alert.raised_at, *(one.received for one in alert.evidence)]) - max(longest(rule) * 2, _BEFORE)
    end = alert.raised_at + 0.001
    if alert.returned_at is not None and alert.returned_at - alert.raised_at <= _AFTER:
        end = alert.returned_at + 0.001
    back = lookback(database, settings, known)
    beginning = back.beginning(begin)
    compiled = CompiledRule(rule, known.catalogue)
    devices: dict[str, Device] = {}
    events: list[Event] = []
    lag, excused = beginning.at - beginning.time, 0.0
    for given in _within(back.inputs(beginning, end), devices, end):
        if given.wall <= alert.raised_at:
            lag = given.at - given.wall
        if isinstance(given, Excused):
            excused += given.seconds
            continue
        event = _heard(given, devices) if isinstance(given, Heard) else given
        if event.received >= begin and _bears(compiled, alert, devices, event):
            events.append(event)
    seqs = {one.seq for one in alert.evidence if one.received <= alert.raised_at}
    first = next((number for number, event in enumerate(events) if event.seq in seqs), max(len(events) - 1, 0))
    return Story(
        rule=rule,
        raised_at=alert.raised_at + lag,
        events=events,
        devices=devices,
        first=first,
        excused=excused,
        timezone=next((site.timezone for site in back.sites() if site.id == alert.site), settings.site.timezone),
    )


def _within(inputs: Iterator[Input], devices: dict[str, Device], end: float) -> Iterator[Told | Heard | Excused]:
    """What came up to the wall time `end`; `devices` are as they are known by each of it."""
    for given in inputs:
        if isinstance(given, Placed):
            devices.update({device.id: device for device in given.devices})
        elif given.wall > end:
            return
        elif isinstance(given, Told | Heard | Excused):
            yield given


def _heard(given: Heard, devices: dict[str, Device]) -> Event:
    """A sign of life without an event, as an event that says no more: a timeline has no other word for it."""
    site = devices[given.device].site if given.device in devices else ""
    return Event(given.device, AVAILABILITY, given.wall, given.wall, given.at, {"online": True}, b"", "", site)


def _bears(rule: CompiledRule, alert: Alert, devices: dict[str, Device], event: Event) -> bool:
    """Whether an event bears on the alert: of the rule's kinds, from a device of its scope."""
    silent = rule.rule.silent is not None
    if event.seq == 0 and not (silent and not rule.rule.on):
        return False
    if rule.rule.kinds and event.kind not in rule.rule.kinds and not (silent and event.kind == AVAILABILITY):
        return False
    if silent and event.kind.startswith("gateway."):
        return False
    device = devices.get(event.device)
    place = scope_of(rule, event.device, device, event.site)
    if rule.rule.together is not None and device is not None:
        level = rule.rule.together.scope
        place = {"zone": device.zone, "building": device.building, "site": device.site}[level] or device.id
    return alert.scope == place or alert.scope.startswith(f"{place}/")
