"""Rules are changed while the gateway runs: what is kept, what ends, what a crash leaves, and who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from gateway.core.core import CoreSettings
from gateway.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import Actor, PackVersion, Role
from gateway.store import tables
from rules import PackError
from tests.support.lab import OPERATOR, SYSTEM, Crash, Lab

HOLD = """
- id: lift.held
  title: {en: "held", zh: "held"}
  severity: high
  on: elevator.status
  when: motion == 'stopped' and occupied
  for: 30s
"""
FIRE = """
- id: own.fire
  title: fire
  severity: critical
  on: elevator.status
  when: motion == 'stopped' and occupied
  for: 10s
"""
HELD = {"motion": "stopped", "occupied": True}
ANNA, BELA = Actor("user:anna", Role.ENGINEER), Actor("user:bela", Role.ENGINEER)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path, pack=Path("rules/packs/gateway.yaml").read_text("utf-8"))
    made.device("lift-1", type="elevator")
    yield made
    made.close()


def put(lab: Lab, text: str, *, pack: str = "own", actor: Actor = ANNA, **more: Any) -> dict[str, Any]:
    return lab.act("rules.put", actor=actor, pack=pack, text=text, **{"reason": "a try", **more})


def versions(lab: Lab, pack: str = "own") -> list[PackVersion]:
    c = tables.rule_versions.c
    rows = lab.rows(select(c.body).where(c.pack == pack).order_by(c.number))
    return [msgspec.json.decode(row[0], type=PackVersion) for row in rows]


def audit(lab: Lab) -> list[tuple[str, str, str, str]]:
    c = tables.audit.c
    rows = lab.rows(select(c.actor, c.action, c.target, c.outcome).where(c.action.like("rules.%")).order_by(c.id))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def told(lab: Lab) -> list[dict[str, Any]]:
    return [msgspec.json.decode(row[2]) for row in lab.events("gateway.rules")]


def test_a_new_rule_judges_from_the_moment_it_is_put(lab: Lab) -> None:
    lab.say("lift-1", "elevator.status", **HELD)
    assert put(lab, HOLD)["state"] == "accepted"
    lab.wait(40)
    assert lab.alerts() == []
    lab.say("lift-1", "elevator.status", **HELD)
    lab.wait(31)
    assert lab.alert("lift.held").state == "unacknowledged"


def test_an_unchanged_condition_keeps_its_hold_and_the_desk_has_the_new_texts(lab: Lab) -> None:
    put(lab, HOLD)
    lab.say("lift-1", "elevator.status", **HELD)
    lab.wait(20)
    put(lab, HOLD.replace('"held"', '"stuck"').replace("high", "low") + "  then: {work_order: {team: lifts}}\n")
    lab.wait(11)
    alert = lab.alert("lift.held")
    assert (alert.title["en"], alert.severity) == ("stuck", "low")
    assert [order.team for order in lab.work_orders()] == ["lifts"]


def test_what_stood_open_ends_with_a_changed_condition_and_with_a_deleted_pack(lab: Lab) -> None:
    changes: list[Callable[[], Any]] = [
        lambda: put(lab, HOLD.replace("30s", "40s")),
        lambda: lab.act("rules.delete", pack="own", reason="gone"),
    ]
    for change in changes:
        put(lab, HOLD)
        lab.say("lift-1", "elevator.status", motion="up")
        lab.say("lift-1", "elevator.status", **HELD)
        lab.wait(31)
        alert = lab.alerts()[-1]
        assert alert.state == "unacknowledged"
        change()
        assert lab.alerts()[-1].state == "returned"
        lab.act("alert.acknowledge", actor=OPERATOR, alert=alert.id)


def test_events_before_an_edit_are_judged_by_the_old_rule_after_a_crash(tmp_path: Path) -> None:
    """The journal says where the rules changed: a start does not judge what came before by those of now."""
    lab = Lab(tmp_path, pack="[]", settings=CoreSettings(snapshot_every=1e12))
    lab.device("lift-1", type="elevator")
    put(lab, HOLD.replace("  for: 30s\n", "  count: {at_least: 2, within: 10m}\n"))
    lab.say("lift-1", "elevator.status", **HELD)
    put(lab, HOLD.replace("  for: 30s\n", "  count: {at_least: 3, within: 10m}\n"))
    lab.say("lift-1", "elevator.status", **HELD)
    lab.say("lift-1", "elevator.status", **HELD)
    lab.crash()
    assert lab.core.restored.replayed >= 4
    assert lab.alerts() == []
    lab.say("lift-1", "elevator.status", **HELD)
    assert lab.alert("lift.held").count == 1
    lab.close()


def test_a_snapshot_says_under_which_rules_it_was_made(lab: Lab) -> None:
    put(lab, HOLD)
    lab.say("lift-1", "elevator.status", **HELD)
    lab.core._snapshot()
    lab.wait(5)
    put(lab, HOLD.replace("30s", "20s"))
    lab.crash()
    lab.wait(60)
    assert lab.alerts() == [], "the changed rule has begun anew, and nothing has been said since"
    lab.say("lift-1", "elevator.status", **HELD)
    lab.wait(21)
    assert lab.alert("lift.held")


@pytest.mark.parametrize("point", ["_commit", "before_publish"])
def test_a_crash_in_the_middle_of_an_edit_leaves_the_old_or_the_new_and_never_both(lab: Lab, point: str) -> None:
    put(lab, HOLD)

    def die(*_: Any) -> None:
        raise Crash

    if point == "_commit":
        lab.core._commit = die  # type: ignore[method-assign, assignment]
    else:
        lab.core.edits.on_edit = die
    with pytest.raises(Crash):
        put(lab, HOLD.replace("30s", "20s"))
    lab.crash()
    rule = lab.core.engine.rules.get("lift.held")
    row = lab.core.book.row("own")
    assert (rule.for_, row.number, len(versions(lab))) == ((30.0, 1, 1) if point == "_commit" else (20.0, 2, 2))
    assert lab.core.desk.alerts.rules is lab.core.engine.rules


def test_an_invalid_pack_is_refused_whole_with_every_error_and_the_running_rules_stay(lab: Lab) -> None:
    put(lab, HOLD)
    with pytest.raises(PackError) as caught:
        put(lab, HOLD.replace("motion", "moton").replace("high", "hgih"))
    listed: Any = caught.value.facts["problems"]
    assert [(one["file"], one["line"], one["text"]) for one in listed] == [
        ("rules/own.yaml", 4, "hgih"),
        ("rules/own.yaml", 6, "moton"),
    ]
    assert "did you mean" in listed[1]["suggestion"]
    assert lab.core.engine.rules.get("lift.held").for_ == 30.0
    assert [version.number for version in versions(lab)] == [1]
    assert audit(lab)[-1] == ("user:anna", "rules.refused", "own", "refused")
    assert told(lab)[-1]["outcome"] == "refused"
    assert lab.alerts() == [], "the author is told; nobody else needs to be called"


def test_a_refused_file_is_an_alert_until_it_is_mended(lab: Lab) -> None:
    lab.act("rules.file", actor=SYSTEM, pack="own", text=HOLD)
    lab.act("rules.file", actor=SYSTEM, pack="own", text="- id: x\n")
    alert = lab.alert("gateway.rules-refused")
    assert alert.scope == "gateway/own"
    assert "rules/own.yaml:1:3" in alert.reason["en"]
    health = lab.core.health()["rules"]
    assert health["refused"]["own"][0]["line"] == 1
    assert lab.core.engine.rules.get("lift.held") is not None
    lab.act("rules.file", actor=SYSTEM, pack="own", text=HOLD)
    assert lab.alert("gateway.rules-refused").state == "returned"
    assert lab.core.health()["rules"]["refused"] == {}
    assert [(one.number, one.author, one.state.value) for one in versions(lab)] == [
        (1, "file", "accepted"), (2, "file", "refused"),
    ]  # fmt: skip


def test_files_are_taken_at_a_start_and_a_refused_one_does_not_keep_the_gateway_from_starting(tmp_path: Path) -> None:
    lab = Lab(tmp_path, pack="[]", site={"good": HOLD, "bad": "- id: x\n"})
    assert lab.core.engine.rules.get("lift.held") is not None
    assert list(lab.core.health()["rules"]["refused"]) == ["bad"]
    (lab.packs / "good.yaml").write_text(HOLD.replace("30s", "5m"))
    (lab.packs / "bad.yaml").unlink()
    lab.crash()
    assert lab.core.engine.rules.get("lift.held").for_ == 300.0
    assert lab.core.health()["rules"]["refused"] == {}
    before = versions(lab, "good")
    lab.crash()
    assert versions(lab, "good") == before
    lab.close()


def test_a_file_that_did_not_go_with_the_others_is_taken_once_it_does(lab: Lab) -> None:
    lab.act("rules.file", actor=SYSTEM, pack="a", text=HOLD)
    lab.act("rules.file", actor=SYSTEM, pack="b", text=HOLD)
    assert list(lab.core.health()["rules"]["refused"]) == ["b"]
    lab.act("rules.file", actor=SYSTEM, pack="a", text="[]")
    assert lab.core.health()["rules"]["refused"] == {}
    assert lab.core.engine.rules.get("lift.held").pack == "rules/b.yaml"


def test_every_accepted_text_is_a_version_and_can_be_restored(lab: Lab) -> None:
    put(lab, HOLD)
    put(lab, HOLD.replace("30s", "20s"), reason="too slow", version=1)
    with pytest.raises(StaleVersion):
        put(lab, HOLD.replace("30s", "10s"), version=1)
    lab.act("rules.delete", actor=BELA, pack="own", reason="no longer needed")
    assert lab.core.engine.rules.get("lift.held") is None
    lab.act("rules.restore", actor=BELA, pack="own", number=1, reason="back")
    assert lab.core.engine.rules.get("lift.held").for_ == 30.0
    assert [(one.number, one.author, one.reason) for one in versions(lab)] == [
        (1, "user:anna", "a try"),
        (2, "user:anna", "too slow"),
        (3, "user:bela", "no longer needed"),
        (4, "user:bela", "back"),
    ]
    with pytest.raises(NotFound):
        lab.act("rules.restore", pack="own", number=9, reason="x")


def test_putting_what_is_there_already_makes_no_version(lab: Lab) -> None:
    put(lab, HOLD)
    assert put(lab, HOLD)["number"] == 1
    assert len(versions(lab)) == 1


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"pack": "../x", "text": "[]", "reason": "x"}, Invalid),
        ({"pack": ".hidden", "text": "[]", "reason": "x"}, Invalid),
        ({"pack": "shipped.access", "text": "[]", "reason": "x"}, Invalid),
        ({"pack": "own", "text": "[]"}, Invalid),
        ({"pack": "own", "text": "[]", "reason": "  "}, Invalid),
        ({"pack": "own", "text": 5, "reason": "x"}, Invalid),
        ({"pack": "own", "text": "x" * 2_000_001, "reason": "x"}, Invalid),
    ],
)
def test_fault_097_wrong_names_and_texts_are_refused(lab: Lab, args: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        lab.act("rules.put", **args)
    assert lab.core.book.packs == {}


def test_only_an_engineer_of_all_sites_may(lab: Lab) -> None:
    for actor in (OPERATOR, Actor("user:carl", Role.ADMIN, ("s1",))):
        with pytest.raises(Forbidden):
            put(lab, HOLD, actor=actor)
    with pytest.raises(Forbidden):
        lab.act("rules.file", actor=ANNA, pack="own", text=HOLD)
    assert audit(lab)[0] == ("user:olga", "rules.put", "own", "refused")


# The second person.


def burning(lab: Lab) -> str:
    """A critical alert of a rule of the pack `own`; its id."""
    put(lab, FIRE)
    lab.say("lift-1", "elevator.status", **HELD)
    lab.wait(11)
    lab.say("lift-1", "elevator.status", motion="up")
    return lab.alert("own.fire").id


@pytest.mark.parametrize(
    ("text", "why"), [("[]", "gone"), (FIRE.replace("critical", "high"), "lowered"), (None, "gone")]
)
def test_a_change_that_hides_a_critical_alert_waits_for_a_second_person(lab: Lab, text: str | None, why: str) -> None:
    alert = burning(lab)
    delete = {"actor": ANNA, "pack": "own", "reason": "quiet"}
    answer = lab.act("rules.delete", **delete) if text is None else put(lab, text)  # type: ignore[arg-type]
    assert answer["state"] == "waiting"
    assert [(one["alert"], one["why"]) for one in answer["hidden"]] == [(alert, why)]
    assert lab.core.engine.rules.get("own.fire").severity == "critical"
    assert lab.alert("gateway.rules-waiting").scope == "gateway/own"
    with pytest.raises(Forbidden, match="somebody else"):
        lab.act("rules.confirm", actor=ANNA, pack="own")
    lab.crash()
    confirmed = lab.act("rules.confirm", actor=BELA, pack="own")
    assert (confirmed["state"], confirmed["author"], confirmed["confirmed_by"]) == (
        "accepted",
        "user:anna",
        "user:bela",
    )
    now = lab.core.engine.rules.get("own.fire")
    assert now is None or now.severity == "high"
    assert lab.alert("gateway.rules-waiting").state == "returned"
    assert ("user:bela", "rules.confirm", "own", "done") in audit(lab)


def test_an_old_alert_or_an_untouched_rule_needs_nobody_else(lab: Lab) -> None:
    burning(lab)
    assert put(lab, FIRE.replace("title: fire", "title: smoke"))["state"] == "accepted"
    assert put(lab, HOLD, pack="other")["state"] == "accepted"
    lab.clock.at += 8 * 86400
    lab.turn()
    assert put(lab, "[]")["state"] == "accepted"


def test_a_changed_condition_is_checked_before_it_counts(lab: Lab) -> None:
    alert = burning(lab)
    answer = put(lab, FIRE.replace("10s", "20s"))
    assert answer["state"] == "checking"
    assert lab.core.engine.rules.get("own.fire").for_ == 10.0
    with pytest.raises(Conflict, match="being checked"):
        lab.act("rules.confirm", actor=BELA, pack="own")
    hidden = [{"alert": alert, "rule": "own.fire", "scope": "lift-1", "raised_at": 1.0, "why": "not_raised"}]
    lab.act("rules.checked", actor=SYSTEM, pack="own", number=2, hidden=hidden)
    assert [one.state.value for one in versions(lab)] == ["accepted", "waiting"]
    put(lab, FIRE.replace("10s", "11s"))
    assert [one.state.value for one in versions(lab)] == ["accepted", "withdrawn", "checking"]
    lab.act("rules.checked", actor=SYSTEM, pack="own", number=3, hidden=[])
    assert lab.core.engine.rules.get("own.fire").for_ == 11.0


def test_a_withdrawn_change_is_gone_and_the_file_is_written_anew(lab: Lab) -> None:
    burning(lab)
    lab.act("rules.file", actor=SYSTEM, pack="own", text="[]")
    assert versions(lab)[-1].state.value == "waiting"
    with pytest.raises(Forbidden):
        lab.act("rules.confirm", actor=Actor("cli", Role.ADMIN), pack="own")
    lab.act("rules.withdraw", actor=BELA, pack="own")
    assert lab.core.book.row("own").unwritten
    assert lab.alert("gateway.rules-waiting").state == "returned"
    with pytest.raises(NotFound):
        lab.act("rules.confirm", actor=BELA, pack="own")
