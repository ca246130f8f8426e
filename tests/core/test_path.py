"""One message's path: fates, the ledger, the acknowledgement, duplicates and restarts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.errors import Forbidden, NotFound, StorageFailed
from gateway.store import tables
from tests.support.lab import OPERATOR, Crash, Lab

TRAPPED: dict[str, Any] = {"motion": "stopped", "in_door_zone": False, "occupied": True, "door": "closed"}
FREE: dict[str, Any] = {"motion": "stopped", "in_door_zone": True, "occupied": True, "door": "open"}

HOLD = """
- id: lift.held
  title: {en: "{device.name} stands", zh: "{device.name} 停"}
  on: elevator.status
  when: motion == 'stopped' and not in_door_zone
  for: 30s
  severity: high
  then:
    work_order: {team: elevator, respond_within: 3m, resolve_within: 30m}
"""


def test_an_accepted_event_is_in_the_store_before_it_is_acknowledged(lab: Lab) -> None:
    lab.device("d1")
    stored: list[int] = []
    lab.inbox.before_ack = lambda: stored.append(lab.core.writer.count(tables.events))
    message = lab.say("d1", "access.door", state="open")
    assert stored == [1]
    assert lab.inbox.acknowledged == [message.mid]
    assert lab.ledger() == {"received": 1, "accepted": 1}


def test_every_message_meets_exactly_one_fate(lab: Lab) -> None:
    lab.device("d1")
    first = lab.say("d1", "access.door", state="open")
    lab.turn(first)
    lab.say("d1", "access.door", state="closed", ago=3600)
    lab.say("stranger", "access.door", state="open")
    lab.raw("gatehouse/v1/s1/d1/events", b"\xff{")
    lab.raw("nobody/reads/this", b"x")
    lab.raw("gatehouse/v1/s1/d1/events", b"x" * 300_000)
    assert lab.ledger() == {
        "received": 7, "accepted": 1, "duplicate": 1, "late": 1, "unknown_device": 1, "undecodable": 1, "ignored": 1,
        "oversized": 1,
    }  # fmt: skip


def test_a_field_of_the_wrong_type_is_undecodable_and_named(lab: Lab) -> None:
    lab.device("d1")
    lab.say("d1", "elevator.status", floor="three")
    assert lab.letters() == [("undecodable", "elevator.status.floor", "expected a whole number, got 'three'")]


def test_an_unknown_kind_is_kept_and_judged_by_nobody(lab: Lab) -> None:
    lab.device("d1")
    lab.say("d1", "garden.gnome", mood="grim")
    assert [row[1] for row in lab.events()] == ["garden.gnome"]
    assert lab.alerts() == []


def test_a_stranger_is_quarantined_and_adopted_with_one_action(lab: Lab) -> None:
    lab.say("new-1", "access.door", state="open")
    lab.say("new-1", "access.door", state="closed")
    table = tables.quarantine
    assert lab.rows(select(table.c.external_id, table.c.messages)) == [("new-1", 2)]
    lab.act("device.adopt", id="new-1", site="s1", adapter="cloudevents", external_id="new-1", secret_hash="x")
    assert lab.rows(select(table)) == []
    lab.say("new-1", "access.door", state="open")
    assert lab.ledger()["accepted"] == 1


def test_a_dead_letter_is_tried_again_after_the_cause_is_mended(lab: Lab) -> None:
    lab.say("d1", "access.door", state="open")
    lab.device("d1")
    assert lab.act("dead_letter.retry", id=1) == {"id": 1, "state": "retried", "fate": "accepted"}
    assert len(lab.events("access.door")) == 1
    with pytest.raises(NotFound, match="no dead letter '99'"):
        lab.act("dead_letter.retry", id=99)
    with pytest.raises(Forbidden, match="needs the role engineer"):
        lab.act("dead_letter.retry", id=1, actor=OPERATOR)


def test_a_batch_of_events_in_one_message_is_one_fate(lab: Lab) -> None:
    lab.device("d1")
    events = [json.loads(lab.event("d1", "access.door", state=state).payload) for state in ("open", "closed")]
    lab.raw("gatehouse/v1/s1/d1/events", json.dumps(events))
    assert lab.ledger() == {"received": 1, "accepted": 1}
    assert len(lab.events("access.door")) == 2


def test_a_push_over_http_is_answered_with_its_fate_after_the_commit(lab: Lab) -> None:
    lab.device("d1")
    body = lab.event("d1", "access.door", state="open").payload
    assert lab.push("cloudevents", "d1", body)["fate"] == "accepted"
    assert lab.push("cloudevents", "d1", body)["fate"] == "duplicate"
    assert lab.push("cloudevents", "d1", b"[")["fate"] == "undecodable"
    with pytest.raises(NotFound):
        lab.push("cloudevents", "nobody", body)


def test_a_hold_continues_over_a_crash_without_a_snapshot(tmp_path: Path) -> None:
    lab = Lab(tmp_path, pack=HOLD)
    lab.device("lift-1", type="elevator")
    lab.say("lift-1", "elevator.status", **TRAPPED)
    lab.wait(10)
    lab.crash()
    lab.wait(2)
    lab.say("lift-1", "elevator.status", **TRAPPED)
    lab.wait(17)
    assert lab.alerts() == []
    lab.wait(2)
    assert lab.alert("lift.held").raised_at == pytest.approx(lab.clock.wall() - 1, abs=0.01)
    lab.crash()
    assert len(lab.alerts()) == 1
    assert len(lab.work_orders()) == 1
    lab.close()


def test_a_hold_continues_over_a_crash_with_a_snapshot_in_its_middle(tmp_path: Path) -> None:
    lab = Lab(tmp_path, pack=HOLD)
    lab.device("lift-1", type="elevator")
    for _ in range(5):
        lab.say("lift-1", "elevator.status", **TRAPPED)
        lab.wait(5)
    lab.core._snapshot()
    lab.say("lift-1", "elevator.status", **TRAPPED)
    lab.crash()
    assert lab.core.restored.replayed == 1
    lab.wait(6)
    assert len(lab.alerts()) == 1
    lab.say("lift-1", "elevator.status", **FREE)
    assert lab.alert("lift.held").state == "returned"
    lab.crash()
    assert lab.alert("lift.held").state == "returned"
    lab.close()


def test_an_alert_of_a_rule_that_is_gone_ends_at_the_next_start(tmp_path: Path) -> None:
    lab = Lab(tmp_path, pack=HOLD)
    lab.device("lift-1", type="elevator")
    lab.say("lift-1", "elevator.status", **TRAPPED)
    lab.wait(31)
    lab.core._snapshot()
    lab.crash(pack=HOLD.replace("lift.held", "lift.other"))
    assert lab.alert("lift.held").state == "returned"
    lab.close()


@pytest.mark.parametrize("point", ["before_commit", "in_commit", "before_ack", "before_publish"])
def test_fault_004_005_a_crash_at_any_point_of_the_path_loses_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    lab = Lab(tmp_path, pack=HOLD.replace("  for: 30s\n", ""))
    lab.device("lift-1", type="elevator")
    message = lab.event("lift-1", "elevator.status", **TRAPPED)

    def crash(*_: object) -> None:
        raise Crash

    if point == "before_commit":
        lab.core.writer.commit = crash  # type: ignore[method-assign, assignment]
    elif point == "in_commit":
        lab.core.writer._count = crash  # type: ignore[method-assign, assignment]
    else:
        setattr(lab.inbox, point, crash)
    with pytest.raises(Crash):
        lab.turn(message)
    acknowledged = list(lab.inbox.acknowledged)
    lab.crash()
    if not acknowledged:
        lab.turn(message)
    else:
        lab.turn()
    counts = lab.ledger()
    assert counts["accepted"] == 1
    assert counts["received"] == 1 + counts.get("duplicate", 0)
    assert len(lab.alerts()) == 1
    assert len(lab.work_orders()) == 1
    retained = lab.sent("/alerts/")
    told = [json.loads(payload)["rule"] for _, payload, _ in retained]
    assert told == ["lift.held"], "FAULTS 4: it goes out after the restart"
    lab.close()


def test_fault_003_redelivered_after_a_crash_between_commit_and_ack_is_a_duplicate(lab: Lab) -> None:
    lab.device("d1")
    message = lab.say("d1", "access.door", state="open")
    lab.crash()
    message.dup = True
    lab.turn(message)
    assert lab.ledger() == {"received": 2, "accepted": 1, "duplicate": 1}
    assert len(lab.events("access.door")) == 1


def test_a_refused_write_is_tried_again_and_nothing_is_acknowledged_before(lab: Lab) -> None:
    lab.device("d1")
    commit = lab.core.writer.commit
    refusals = [3]

    def refuse(batch: object) -> None:
        if refusals[0]:
            refusals[0] -= 1
            assert lab.inbox.acknowledged == []
            raise StorageFailed("the database refused a write: full", reason="full", fatal=False)
        commit(batch)  # type: ignore[arg-type]

    lab.core.writer.commit = refuse  # type: ignore[method-assign]
    message = lab.say("d1", "access.door", state="open")
    assert lab.inbox.acknowledged == [message.mid]
    assert lab.ledger()["accepted"] == 1
    lab.turn()
    assert [json.loads(row[2])["failing"] for row in lab.events("gateway.storage")] == [True, False]


def test_a_failed_sync_ends_the_core_and_acknowledges_nothing(lab: Lab) -> None:
    lab.device("d1")

    def fail(batch: object) -> None:
        raise StorageFailed("disk I/O error", reason="disk I/O error", fatal=True)

    lab.core.writer.commit = fail  # type: ignore[method-assign]
    with pytest.raises(StorageFailed):
        lab.say("d1", "access.door", state="open")
    assert lab.inbox.acknowledged == []


def test_a_vehicle_is_told_apart_by_its_pass(lab: Lab) -> None:
    lab.device("cam-1", type="plate_camera")
    lab.act("pass.put", id="p1", site="s1", kind="plate", value="粤B12345", name="A")
    for plate in ("粤B·12345", "粤B99999"):
        lab.say("cam-1", "parking.vehicle", plate=plate, plate_read=True, direction="out")
    assert [json.loads(row[2])["registered"] for row in lab.events("parking.vehicle")] == [True, False]
    assert lab.alert("parking.unregistered-leaving")
