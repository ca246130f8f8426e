"""Why a rule has an alert, or none: its condition, stage by stage, with the values of a moment. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.model.catalogue import Catalogue
from rules.conditions.track import Samples, Waiting, Window
from rules.explain.answer import Answer, Clause
from rules.explain.clauses import Stage, clause, devices, inhibited, measure, schedule, spoken, together, when
from rules.explain.scene import Scene, Seen, Watch
from rules.explain.shapes import active, shape
from rules.language import Text

__all__ = ["Answer", "Clause", "Scene", "Seen", "Standing", "Watch", "explain"]

STAGES: tuple[Stage, ...] = (devices, schedule, when, measure, shape, together, inhibited)
"""In the order in which an event is judged."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The alert of the condition that was open at the moment: since when, and by whom it is put aside until when."""

    alert: str
    raised_at: float
    shelved_by: str = ""
    shelved_until: float | None = None


def explain(
    scene: Scene,
    catalogue: Catalogue,
    standing: Standing | None = None,
    notes: Sequence[Text] = (),
    remembered_from: float | None = None,
) -> Answer:
    """The answer. `standing` is the open alert, as only the services know it."""
    clauses = [found for stage in STAGES if (found := stage(scene, catalogue)) is not None]
    reported = scene.reported
    stands = reported is not None and reported.active
    if active(scene) and not scene.rule.rule.momentary:
        # An alert ends by its own words: that `when` is no longer true does not take it back.
        clauses = [_past(one) for one in clauses]
    decisive = [one for one in clauses if one.word != "when" or not _remembers(scene)]
    blocked = next((one for one in decisive if one.truth is not True), None)
    came = blocked is None
    if came and (standing is not None or stands):
        blocked = _open(scene, standing)
        clauses.append(blocked)
    return Answer(
        rule=scene.rule.rule.id,
        device=scene.name,
        scope=scene.place,
        at=scene.wall,
        came=came,
        blocked=blocked,
        clauses=tuple(clauses),
        alert=standing.alert if standing is not None else None,
        remembered_from=remembered_from,
        notes=tuple(notes),
    )


def _remembers(scene: Scene) -> bool:
    """Whether earlier events still count, so that the newest one alone decides nothing."""
    track = scene.track
    return track is not None and (isinstance(track.state, Window | Waiting) or isinstance(track.measure, Samples))


def _past(one: Clause) -> Clause:
    """A clause of a condition that stands already."""
    if one.truth is True or one.word in ("inhibited_by", "together", "devices", "during"):
        return one
    said = {
        "en": f"it was true and the alert has not ended; now {one.said['en']}",
        "zh": f"曾成立,警报尚未结束;现在{one.said['zh']}",
    }
    return msgspec.structs.replace(one, truth=True, code="", said=said)


def _open(scene: Scene, standing: Standing | None) -> Clause:
    if standing is None:
        return clause("alert", False, "its alert stands open", "警报已经存在", "already_open")
    since = spoken(scene.wall - standing.raised_at)
    if standing.shelved_until is not None:
        left = spoken(standing.shelved_until - scene.wall)
        return clause(
            "alert",
            False,
            f"shelved by {standing.shelved_by} for another {left}; its alert is open since {since}",
            f"已被 {standing.shelved_by} 搁置,还剩 {left};警报已存在 {since}",
            "shelved",
            {"alert": standing.alert, "until": standing.shelved_until, "by": standing.shelved_by},
        )
    return clause(
        "alert",
        False,
        f"its alert is open since {since}",
        f"警报已存在 {since}",
        "already_open",
        {"alert": standing.alert, "raised_at": standing.raised_at},
    )
