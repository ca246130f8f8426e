"""From an alert that was raised to a timeline test that raises it again, as a pack would have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml

from gateway.model.catalogue import Catalogue
from gateway.model.event import Event
from gateway.model.judgement import Raised, RuleChange, Withheld
from gateway.model.place import Device
from rules.document import Document
from rules.durations import spoken_duration
from rules.language import Rule
from rules.testing import play, run_timeline
from rules.timeline import START, Said, Timeline, Wanted, read_timelines

MOST_EVENTS = 400
"""A test with more events than this is read by nobody."""
SAME = 0.005
"""Times are written in milliseconds."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an alert: the events of its devices in order, and when it was raised (steady seconds).

    `first` is the place in `events` of the first one that is evidence; `timezone` that of its site. `excused` are the
    seconds in which the gateway did not listen: an alert about silence came so much later than a test has it.
    """

    rule: Rule
    raised_at: float
    events: Sequence[Event]
    devices: Mapping[str, Device]
    first: int = 0
    excused: float = 0.0
    timezone: str = "Asia/Shanghai"


class CannotBeSaved(ValueError):
    """The events that are known do not raise the alert again; says why that may be."""


def save_test(story: Story, name: str, catalogue: Catalogue) -> str:
    """The test as YAML, to be put under the rule's `tests`. It was run, and passes. Raises `CannotBeSaved`.

    Personal data is replaced, alike by alike: a test shall be shown around.
    """
    for begin in _beginnings(story):
        events = story.events[begin:]
        if not 0 < len(events) <= MOST_EVENTS:
            continue
        timeline = _timeline(story, events, name, catalogue)
        changes = play(timeline, catalogue)
        offset = _offset(story.raised_at, events[0].at)
        if any(isinstance(one, Raised) and _same(story, one.at - timeline.start, offset) for one in changes):
            return _checked(story, _written(timeline, changes), catalogue)
    raise CannotBeSaved(
        f"the {len(story.events)} events that are known do not raise it again by themselves: what it came of began "
        f"earlier than the journal, or takes more than {MOST_EVENTS} events"
    )


def _same(story: Story, at: float, wanted: float) -> bool:
    """Whether the test raises the alert when it was raised, or earlier by a pause of the gateway."""
    return wanted - story.excused - SAME < at < wanted + SAME


def _beginnings(story: Story) -> list[int]:
    """Where to begin: with the evidence, or so much earlier, or with all that is known."""
    first, count = story.first, len(story.events)
    earlier = [first - 1, first - 5, first - 20, first - 100, count - MOST_EVENTS, 0]
    return list(dict.fromkeys(max(begin, 0) for begin in [first, *earlier]))


def _timeline(story: Story, events: Sequence[Event], name: str, catalogue: Catalogue) -> Timeline:
    masks = _Masks(catalogue)
    said = tuple(
        Said(
            at=_offset(event.at, events[0].at),
            device=event.device,
            kind=event.kind,
            data=masks.data(event.kind, event.data),
            late=event.late,
            replay=event.replay,
        )
        for event in events
    )
    named = dict.fromkeys(event.device for event in events)
    devices = tuple(story.devices[device] for device in named if device in story.devices)
    dated = story.rule.schedule is not None or story.rule.baseline is not None
    return Timeline(
        rule=story.rule,
        name=name,
        file="test",
        line=1,
        start=float(int(events[0].received)) if dated else START,
        timezone=story.timezone,
        devices=devices,
        said=said,
        wanted=(),
        length=max([said[-1].at, _offset(story.raised_at, events[0].at)]),
    )


def _written(timeline: Timeline, changes: Sequence[RuleChange]) -> str:
    """The test as YAML: a list with one item."""
    lines = [f"- name: {_flow(timeline.name)}"]
    if timeline.start != START:
        local = datetime.fromtimestamp(timeline.start, UTC).astimezone(ZoneInfo(timeline.timezone))
        lines += [f"  start: {local:%Y-%m-%dT%H:%M:%S}", f"  timezone: {timeline.timezone}"]
    lines += ["  devices:", *(f"    {_flow(one.id)}: {_flow(_told(one))}" for one in timeline.devices), "  timeline:"]
    steps: list[tuple[float, int, dict[str, Any]]] = []
    for said in timeline.said:
        step: dict[str, Any] = {"at": spoken_duration(said.at), "from": said.device, "say": {said.kind: said.data}}
        step.update({mark: True for mark in ("late", "replay") if getattr(said, mark)})
        steps.append((said.at, 0, step))
    for change in changes:
        at = round(change.at - timeline.start, 3)
        wanted = Wanted(at=at, outcome=_outcome(change), scope=change.scope)
        steps.append((at, 1, {"at": spoken_duration(at), "want": wanted.outcome, "scope": wanted.scope}))
    lines += [f"    - {_flow(step)}" for _, _, step in sorted(steps, key=lambda one: one[:2])]
    return "\n".join(lines) + "\n"


def _checked(story: Story, text: str, catalogue: Catalogue) -> str:
    """The text, read back and run. Raises `CannotBeSaved` where it does not pass."""
    document = Document("test", text)
    root = document.root()
    timelines = read_timelines(root, story.rule, catalogue) if root is not None else []
    if document.problems or len(timelines) != 1:
        raise CannotBeSaved(f"the test cannot be written: {'; '.join(map(str, document.problems))}")
    result = run_timeline(timelines[0], catalogue)
    if not result.passed:
        raise CannotBeSaved("the test does not give the same again: " + "; ".join(result.story))
    return text


def _outcome(change: RuleChange) -> str:
    if isinstance(change, Raised):
        return "again" if change.again else "raised"
    return "withheld" if isinstance(change, Withheld) else "cleared"


def _offset(at: float, start: float) -> float:
    return round(max(at - start, 0.0), 3)


def _told(device: Device) -> dict[str, Any]:
    words = ("type", "zone", "building", "site", "connected_via", "powered_by")
    told = {word: getattr(device, word) for word in words if getattr(device, word) is not None}
    if device.report_interval:
        told["report_interval"] = spoken_duration(device.report_interval)
    return told


def _flow(value: Any) -> str:
    """YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1 << 20, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


class _Masks:
    """Puts a name in the place of what is personal, the same for the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[tuple[str, Any], str] = {}

    def data(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """An event's data, masked."""
        known = self._catalogue.get(kind)
        fields = known.fields if known is not None else {}
        return {
            name: self._mask(name, value) if name in fields and fields[name].personal else value
            for name, value in data.items()
        }

    def _mask(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return self._known.setdefault((name, value), f"{name}-{len(self._known) + 1}")
