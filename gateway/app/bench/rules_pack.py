"""Rule packs of any size: rules that every message of the load is judged by, and rules that none of them can meet."""

from __future__ import annotations

from collections.abc import Iterator

#: The one rule that the alarming messages of the load meet (300.5 V), and that every other message clears.
ALARM_RULE = "bench.overvoltage"
#: A pack may have at most two million characters, so large ones are cut.
RULES_IN_A_FILE = 1000

#: Conditions over the load's fields that none of its messages meets, calm or alarming; {n} makes each one different.
_CALM = (
    "voltage_v > {high}",
    "voltage_v < {low}",
    "current_a > {high}.5 and power_w > 100",
    "power_w > {high}00 or power_w < -{high}",
    "utility == 'electricity' and energy_kwh < -{n}",
    "utility == 'water' and current_a < {low}.25",
    "abs(voltage_v - 230) > {high} and current_a > 1",
    "power_w > 11000 + {n} and voltage_v > 200",
)
#: Kinds that the load never sends, with a condition over their fields.
_FOREIGN = (
    ("elevator.status", "motion == 'stopped' and not in_door_zone and load_kg > {n}"),
    ("access.door", "state == 'open'"),
    ("meter.event", "event == 'leak' and active"),
    ("meter.reading", "voltage_v > 2"),
)


def pack(evaluated: int, idle: int = 0) -> dict[str, str]:
    """Packs by file name: `evaluated` rules that every message is shown to, the alarm among them, and `idle` others.

    An idle rule is of another kind, or of the load's kind and of a device type, site or id that does not exist.
    """
    rules = [*_evaluated(evaluated), *_idle(idle)]
    files = [rules[start : start + RULES_IN_A_FILE] for start in range(0, len(rules), RULES_IN_A_FILE)]
    return {f"bench-{number}.yaml": "".join(file) for number, file in enumerate(files)}


def _evaluated(count: int) -> Iterator[str]:
    if count:
        yield _rule(ALARM_RULE, "meter.reading", "voltage_v > 260", clear="voltage_v < 250")
    for number in range(1, count):
        condition = _CALM[number % len(_CALM)].format(n=number, high=400 + number, low=100 - number % 90)
        yield _rule(f"bench.calm-{number}", "meter.reading", condition)


def _idle(count: int) -> Iterator[str]:
    for number in range(count):
        kind, condition = _FOREIGN[number % len(_FOREIGN)]
        devices = ""
        if kind == "meter.reading":
            word = ("type", "site", "id")[number // len(_FOREIGN) % 3]
            devices = f"  devices: {{{word}: elsewhere-{number}}}\n"
        yield _rule(f"bench.idle-{number}", kind, condition.format(n=number), devices=devices)


def _rule(name: str, kind: str, when: str, *, clear: str = "", devices: str = "") -> str:
    ending = f'  clear: "{clear}"\n' if clear else ""
    return (
        f"- id: {name}\n  title: {{en: Bench rule, zh: 基准规则}}\n  on: {kind}\n{devices}"
        f'  when: "{when}"\n{ending}  severity: medium\n'
    )
