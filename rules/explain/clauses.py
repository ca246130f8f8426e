"""A function for each word: how far its part of the condition has come, and what is missing.

`STAGES` are asked in the order in which an event is judged; each gives its clause, or None where the rule has no such
word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gateway.model.catalogue import Catalogue
from rules.conditions.track import Gathering, Holding, Learned, Samples
from rules.durations import spoken_duration
from rules.explain.answer import Clause, Code
from rules.explain.scene import Scene, Seen
from rules.expressions import check, fields_in
from rules.expressions.explaining import Part, explain_truth
from rules.language import Rule
from rules.past import Past

Stage = Callable[[Scene, Catalogue], Clause | None]


def clause(
    word: str,
    truth: bool | None,
    en: str,
    zh: str,
    code: Code = "",
    values: dict[str, Any] | None = None,
    parts: Sequence[Part] = (),
) -> Clause:
    """A clause; what is true needs no code."""
    return Clause(
        word=word,
        truth=truth,
        said={"en": en, "zh": zh},
        code="" if truth else code,
        values=values or {},
        parts=tuple(parts),
    )


def spoken(seconds: float) -> str:
    """A duration for people, to the second where it is long."""
    return spoken_duration(round(max(seconds, 0.0), 1 if seconds < 10 else 0) or 0.0)


def devices(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """`devices`: whether the rule is for this device at all."""
    words = scene.rule.rule.devices
    device = scene.device
    wanted = {word: getattr(words, word) for word in ("id", "type", "zone", "building", "site") if getattr(words, word)}
    if device is not None and not device.enabled:
        return clause("devices", False, f"{scene.name} is disabled", f"{scene.name} 已停用", "disabled")
    if scene.covered:
        return clause("devices", True, f"it is for {scene.name}", f"适用于 {scene.name}") if wanted else None
    for word, names in wanted.items():
        own = getattr(device, word, None) if device is not None else None
        if own not in names:
            listed = ", ".join(names)
            return clause(
                "devices",
                False,
                f"not for this device: its {word} is {own or 'not known'}, and the rule is for {listed}",
                f"不适用于该设备:其 {word} 为 {own or '未知'},规则只针对 {listed}",
                "other_device",
                {word: own, "wanted": list(names)},
            )
    return clause("devices", False, "not for this device", "不适用于该设备", "other_device")


def schedule(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """`during` and `except`."""
    if scene.rule.rule.schedule is None:
        return None
    if scene.inside:
        return clause("during", True, "inside its schedule", "在时段之内")
    return clause("during", False, "outside its schedule", "不在时段之内", "outside_schedule")


def when(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """`when`: the newest event that says anything of it."""
    rule = scene.rule.rule
    if not rule.on or rule.silent is not None:
        return None
    return _predicate("when", rule.on, rule.when, scene, catalogue)


def _predicate(word: str, kinds: tuple[str, ...], text: str | None, scene: Scene, catalogue: Catalogue) -> Clause:
    seen = scene.newest(kinds)
    named = ", ".join(kinds)
    if seen is None:
        en, zh = f"no data: {scene.name} has not said {named}", f"无数据:{scene.name} 没有上报 {named}"
        return clause(word, None, en, zh, "no_data")
    age = scene.wall - seen.event.received
    told = {"kind": seen.event.kind, "received": seen.event.received, "age_s": round(age, 3)}
    en, zh = f"{seen.event.kind}, {spoken(age)} ago", f"{seen.event.kind},{spoken(age)} 之前"
    part = expression(kinds, text, seen, catalogue)
    if part is None:
        return clause(word, True, f"every event counts: {en}", f"每个事件都算:{zh}", values=told)
    if part.truth:
        return clause(word, True, f"true: {en}", f"成立:{zh}", values=told, parts=[part])
    if part.truth is False:
        return clause(word, False, f"false: {en}", f"不成立:{zh}", "false", told, [part])
    missing = ", ".join(missing_in(part)) or "?"
    return clause(
        word, None, f"unknown, as {missing} is missing: {en}", f"未知,缺少 {missing}:{zh}", "unknown", told, [part]
    )


def expression(kinds: tuple[str, ...], text: str | None, seen: Seen, catalogue: Catalogue) -> Part | None:
    """A predicate explained on an event; None where there is none."""
    truth, _, _ = check(text, fields_in(catalogue, kinds)) if text is not None else (None, None, None)
    return None if truth is None else explain_truth(truth, seen.event.data.get, seen.past or Past(()))


def missing_in(part: Part) -> list[str]:
    """What is missing where a truth is not known."""
    found = [name for name, value in part.values.items() if value is None] if part.truth is None else []
    return list(dict.fromkeys([*found, *(name for below in part.parts for name in missing_in(below))]))


def measure(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """`aggregate` and `baseline`."""
    rule = scene.rule.rule
    known = scene.track.measure if scene.track is not None else None
    if rule.aggregate is not None:
        return _aggregate(rule, known if isinstance(known, Samples) else None, scene)
    if rule.baseline is not None:
        return _baseline(rule, known if isinstance(known, Learned) else None)
    return None


def _aggregate(rule: Rule, known: Samples | None, scene: Scene) -> Clause | None:
    words = rule.aggregate
    if words is None:
        return None
    count = sum(at > scene.at - words.over for at, _ in known.entries) if known is not None else 0
    name = f"{words.function}({words.field}) over {spoken(words.over)}"
    told: dict[str, Any] = {"samples": count, "needed": words.samples}
    if known is None or known.value is None or count < words.samples:
        return clause(
            "aggregate",
            None,
            f"{name}: {count} of {words.samples} samples",
            f"{name}:样本 {count}/{words.samples}",
            "samples",
            told,
        )
    told["aggregate"] = value = round(known.value, 3)
    bounds = bounds_of(rule)
    truth = words.bounds.hold(known.value)
    verb = ("is", "为") if truth else ("is only", "仅为") if "at least" in bounds or "above" in bounds else ("is", "为")
    return clause(
        "aggregate",
        truth,
        f"{name} {verb[0]} {value:g}, wanted {bounds}",
        f"{name} {verb[1]} {value:g},要求 {bounds}",
        "figure",
        told,
    )


def bounds_of(rule: Rule) -> str:
    """The bounds of an aggregate in words."""
    bounds = rule.aggregate.bounds if rule.aggregate is not None else None
    words = ("at_least", "at_most", "above", "below")
    given = [(word, getattr(bounds, word)) for word in words if getattr(bounds, word, None) is not None]
    return " and ".join(f"{word.replace('_', ' ')} {value:g}" for word, value in given)


def _baseline(rule: Rule, known: Learned | None) -> Clause | None:
    words = rule.baseline
    if words is None:
        return None
    if known is None or known.usual is None or known.value is None:
        weeks = known.known if known is not None else 0
        return clause(
            "baseline",
            None,
            f"still learning: {weeks} of {words.learn} weeks of this hour are known",
            f"仍在学习:该时段已知 {weeks}/{words.learn} 周",
            "learning",
            {"learned": weeks, "needed": words.learn},
        )
    difference = known.value - known.usual
    signed = (
        difference if words.direction == "above" else -difference if words.direction == "below" else abs(difference)
    )
    needed = max(words.at_least, words.deviation * known.spread)
    told = {"value": known.value, "expected": round(known.usual, 3), "deviation": round(signed, 3), "needed": needed}
    return clause(
        "baseline",
        signed >= needed and signed > 0,
        f"{words.field} is {known.value:g}, usual is {known.usual:g}; it would have to differ by {needed:g}",
        f"{words.field} 为 {known.value:g},平常为 {known.usual:g};相差达到 {needed:g} 才算异常",
        "usual",
        told,
    )


def together(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """`together`: how many devices of the place."""
    words = scene.rule.rule.together
    if words is None:
        return None
    track = scene.rule.places.get(scene.place)
    members = track.state.members if track is not None and isinstance(track.state, Gathering) else {}
    recent = sum(scene.at < one.at + words.within for one in members.values())
    truth = (track is not None and track.active) or recent >= words.at_least
    return clause(
        "together",
        truth,
        f"{recent} devices of {scene.place} within {spoken(words.within)}, wanted {words.at_least}",
        f"{scene.place} 在 {spoken(words.within)} 内有 {recent} 台设备,要求 {words.at_least} 台",
        "together",
        {"count": recent, "needed": words.at_least, "devices": sorted(members)},
    )


def inhibited(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """`inhibited_by`: whether another alert explains it."""
    words = scene.rule.rule.inhibited_by
    if words is None:
        return None
    track = scene.reported
    if track is not None and track.released is not None:
        left = track.released - scene.at
        return clause(
            "inhibited_by",
            False,
            f"its cause is over; it is raised in {spoken(left)} if it is still true then",
            f"原因已解除;若届时仍成立,将在 {spoken(left)} 后报警",
            "settling",
            {"left_s": round(left, 3)},
        )
    if scene.cause is not None:
        rule, place = scene.cause
        return clause(
            "inhibited_by",
            False,
            f"explained by {rule} of {place}",
            f"已由 {place} 的 {rule} 解释",
            "inhibited",
            {"cause": rule, "cause_scope": place},
        )
    return clause("inhibited_by", True, "no cause is there", "没有上级原因")


def holding(scene: Scene) -> Holding | None:
    """The hold under way."""
    track = scene.track
    return track.state if track is not None and isinstance(track.state, Holding) else None
