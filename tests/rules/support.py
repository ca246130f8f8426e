"""What the rules' tests share: a small catalogue, devices, and short ways to say things."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from gateway.model import Catalogue, Cleared, Device, Event, Field, Kind, Raised, RuleChange, Withheld
from rules import Engine, RuleSet, load_packs

NAMES = {"en": "x", "zh": "x"}
FIELDS = {
    "on": Field(type="boolean", title=NAMES),
    "x": Field(type="number", title=NAMES),
    "y": Field(type="number", title=NAMES),
    "word": Field(type="enum", title=NAMES, values=("up", "down", "still")),
    "tag": Field(type="string", title=NAMES, personal=True),
}
AVAILABILITY = {"online": Field(type="boolean", title=NAMES, required=True)}
CATALOGUE = Catalogue(
    [
        Kind(name="t.state", title=NAMES, fields=FIELDS, state=True),
        Kind(name="t.report", title=NAMES, fields=FIELDS, state=True, record="reading", interval=10.0),
        Kind(name="t.happening", title=NAMES, fields=FIELDS),
        Kind(name="t.other", title=NAMES, fields={"note": Field(type="string", title=NAMES)}),
        Kind(name="device.availability", title=NAMES, fields=AVAILABILITY, state=True),
        Kind(name="gateway.remark", title=NAMES, fields=FIELDS, state=True),
    ]
)


def device(name: str, **facts: Any) -> Device:
    """A device of site `s`, with whatever else is said of it."""
    return Device(**{"id": name, "site": "s", "adapter": "a", "external_id": name, **facts})


def rules(*texts: str) -> RuleSet:
    """Rules from the words that matter; title, severity and id are filled in where they are missing."""
    pack = ""
    for number, text in enumerate(texts, start=1):
        lines = dedent(text).strip().splitlines()
        given = {line.split(":")[0] for line in lines}
        for word, value in (("id", f"r{number}"), ("title", "t"), ("severity", "low")):
            if word not in given:
                lines.insert(0, f"{word}: {value}")
        pack += "- " + "\n  ".join(lines) + "\n"
    return load_packs({"test.yaml": pack}, CATALOGUE)


class Play:
    """An engine with a script: `say` and `wait` give what came, in short words. `lead` is the wall clock's."""

    def __init__(self, *texts: str, devices: list[Device] | None = None, zones: dict[str, str] | None = None) -> None:
        self.rules = rules(*texts)
        self.devices = {one.id: one for one in devices or [device("d")]}
        self.zones = zones
        self.lead = 0.0
        self.engine = Engine(self.rules, CATALOGUE, self.devices, zones)
        self.seq = 0
        self.changes: list[RuleChange] = []
        self.wait(0)

    def say(
        self, at: float, kind: str, *, by: str = "d", late: bool = False, replay: bool = False, **data: Any
    ) -> list[str]:
        """The device says something."""
        self.seq += 1
        event = Event(by, kind, at, at + self.lead, at, data, site="s", late=late, replay=replay, seq=self.seq)
        return self.told(self.engine.process(event))

    def wait(self, until: float) -> list[str]:
        """Time passes."""
        return self.told(self.engine.advance(until))

    def restart(self, *texts: str) -> list[str]:
        """Snapshot, death, and restoration, perhaps with other rules."""
        memory = self.engine.snapshot()
        if texts:
            self.rules = rules(*texts)
        self.engine = Engine(self.rules, CATALOGUE, self.devices, self.zones)
        return self.told(self.engine.restore(memory))

    def told(self, changes: list[RuleChange]) -> list[str]:
        """`raised r1 d@5`, `again r1 d@9`, `cleared r1 d@12`."""
        self.changes += changes
        return [short(change) for change in changes]


def short(change: RuleChange) -> str:
    """One change in one line."""
    return f"{outcome(change)} {change.rule} {change.scope}@{change.at:.12g}"


def outcome(change: RuleChange) -> str:
    """`raised`, `again`, `momentary` or the reason of the end."""
    if isinstance(change, Cleared):
        return change.reason
    if isinstance(change, Withheld):
        return f"withheld({change.cause} {change.cause_scope})"
    assert isinstance(change, Raised)
    return "momentary" if change.momentary else "again" if change.again else "raised"
