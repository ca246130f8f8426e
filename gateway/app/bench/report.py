"""What a bench prints: figures, each with its target, as JSON or as a table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec

from gateway.app.bench.machine import Machine


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One result. `target` and `met` are None where a figure is told for information."""

    name: str
    value: float
    unit: str
    target: float | None = None
    met: bool | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole bench. `problems` says what was lost or doubled; it is empty unless a guarantee was broken."""

    machine: Machine
    figures: list[Figure]
    problems: list[str] = []


def figure(
    name: str,
    values: Sequence[float],
    unit: str,
    target: float | None = None,
    *,
    wanted: Literal["at least", "at most"] = "at most",
) -> Figure:
    """The median of several runs beside its target."""
    value = _rounded(median(values))
    met = None
    if target is not None:
        met = value >= target if wanted == "at least" else value <= target
    return Figure(name=name, value=value, unit=unit, target=target, met=met)


def _rounded(value: float) -> float:
    """To three decimals for small figures, to whole ones for large."""
    if abs(value) >= 1000:
        return float(round(value))
    return round(value, 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[min(len(ordered), int(rank)) - 1]


def table(report: Report) -> list[str]:
    """The report as lines for a person."""
    machine = report.machine
    lines = [
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_mb} MB, {machine.disk}, {machine.kernel}, "
        f"Python {machine.python}, SQLite {machine.sqlite}, load before {machine.load_before}",
        "",
    ]
    width = max(len(each.name) for each in report.figures)
    for each in report.figures:
        words = {True: "met", False: "NOT met", None: ""}[each.met]
        target = "" if each.target is None else f"target {each.target:g}"
        lines.append(f"{each.name.ljust(width)}  {each.value:>10g} {each.unit:<4} {target:<14} {words}".rstrip())
    return lines + [f"PROBLEM: {problem}" for problem in report.problems]
