"""The shapes of conditions, each explained: `for`, `count`, `expect`, `sequence`, `silent`."""

from __future__ import annotations

from gateway.model.catalogue import Catalogue
from rules.conditions.track import Hearing, Steps, Waiting, Window
from rules.explain.answer import Clause
from rules.explain.clauses import clause, expression, holding, spoken
from rules.explain.scene import Scene
from rules.expressions.explaining import Part


def shape(scene: Scene, catalogue: Catalogue) -> Clause | None:
    """The clause of whichever shape the rule has; None for `when` alone."""
    rule = scene.rule.rule
    if rule.silent is not None:
        return silent(scene)
    if rule.sequence:
        return sequence(scene, catalogue)
    if rule.expect is not None:
        return expect(scene)
    if rule.count is not None:
        return count(scene)
    return hold(scene, catalogue) if rule.for_ is not None else None


def active(scene: Scene) -> bool:
    """Whether the condition stands."""
    return scene.track is not None and scene.track.active


def hold(scene: Scene, catalogue: Catalogue) -> Clause:
    """`for`: how long it has held, of how long."""
    needed = scene.rule.rule.for_ or 0.0
    state = holding(scene)
    parts: list[Part] = []
    if scene.rule.rule.at_once is not None and (seen := scene.newest(scene.rule.rule.on)) is not None:
        found = expression(scene.rule.rule.on, scene.rule.rule.at_once, seen, catalogue)
        parts = [found] if found is not None else []
    if state is None:
        return clause(
            "for",
            active(scene),
            f"it holds no more: it was broken, or the data was missing for too long; wanted {spoken(needed)}",
            f"未在持续:已中断,或数据缺失过久;要求 {spoken(needed)}",
            "gap",
            {"held_s": 0.0, "needed_s": needed},
            parts,
        )
    held = scene.at - state.since
    told = {"held_s": round(held, 3), "needed_s": needed}
    if state.gap:
        told["confirmed_s"] = round(scene.at - state.last, 3)
    return clause(
        "for",
        state.done,
        f"held for {spoken(held)} of {spoken(needed)}",
        f"已持续 {spoken(held)},要求 {spoken(needed)}",
        "hold",
        told,
        parts,
    )


def count(scene: Scene) -> Clause:
    """`count`: how many, of how many."""
    words = scene.rule.rule.count
    state = scene.track.state if scene.track is not None else None
    if words is None:
        raise TypeError("the rule counts nothing")
    entries = state.entries if isinstance(state, Window) else []
    found = sum(scene.at < entry.at + words.within for entry in entries)
    what = f"different {words.distinct}" if words.distinct else "events"
    named = f"不同的 {words.distinct}" if words.distinct else "事件"
    return clause(
        "count",
        found >= words.at_least,
        f"{found} of {words.at_least} {what} within {spoken(words.within)}",
        f"{spoken(words.within)} 内{named} {found}/{words.at_least}",
        "count",
        {"count": found, "needed": words.at_least, "within_s": words.within},
    )


def expect(scene: Scene) -> Clause:
    """`expect`: how long it has been waited for."""
    words = scene.rule.rule.expect
    state = scene.track.state if scene.track is not None else None
    if words is None:
        raise TypeError("the rule expects nothing")
    named = ", ".join(words.on)
    if isinstance(state, Waiting):
        waited = scene.at - state.since
        return clause(
            "expect",
            False,
            f"waiting for {named} for {spoken(waited)} of {spoken(words.within)}",
            f"等待 {named} 已 {spoken(waited)},期限 {spoken(words.within)}",
            "waiting",
            {"waited_s": round(waited, 3), "needed_s": words.within},
        )
    en, zh = f"{named} came, or is not waited for", f"{named} 已到,或并未在等待"
    if active(scene):
        en, zh = f"{named} did not come within {spoken(words.within)}", f"{spoken(words.within)} 内没有 {named}"
    return clause("expect", active(scene), en, zh, "waiting", {"needed_s": words.within})


def sequence(scene: Scene, catalogue: Catalogue) -> Clause:
    """`sequence`: how many steps are done, and what the next one wants."""
    rule = scene.rule.rule
    state = scene.track.state if scene.track is not None else None
    runs = state.runs if isinstance(state, Steps) else []
    within = rule.within or 0.0
    alive = [number + 1 for number, run in enumerate(runs) if run is not None and scene.at < run.started + within]
    done = max(alive, default=0)
    complete = active(scene)
    step = rule.sequence[min(done, len(rule.sequence) - 1)]
    seen = scene.newest(step.on)
    found = expression(step.on, step.when, seen, catalogue) if seen is not None else None
    named = ", ".join(step.on)
    return clause(
        "sequence",
        complete,
        f"{done} of {len(rule.sequence)} steps within {spoken(within)}; the next is {named}",
        f"{spoken(within)} 内完成 {done}/{len(rule.sequence)} 步;下一步是 {named}",
        "sequence",
        {"done": done, "needed": len(rule.sequence), "within_s": within},
        [found] if found is not None and not complete else [],
    )


def silent(scene: Scene) -> Clause:
    """`silent`: how long nothing was heard."""
    state = scene.track.state if scene.track is not None else None
    if not isinstance(state, Hearing):
        return clause(
            "silent",
            None,
            "no silence is counted: the device has no report interval, or is not known",
            "未计静默:设备没有上报间隔,或未登记",
            "no_data",
        )
    if state.away:
        return clause("silent", False, "known to be offline, which is another matter", "已知离线,不计为静默", "away")
    quiet = scene.at - state.last
    return clause(
        "silent",
        active(scene),
        f"silent for {spoken(quiet)} of {spoken(state.gap)}",
        f"已静默 {spoken(quiet)},期限 {spoken(state.gap)}",
        "heard",
        {"silent_s": round(quiet, 3), "needed_s": state.gap},
    )
