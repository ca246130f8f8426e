"""Entries through the whole core: a code scanned by a terminal, nothing of it kept, and `kill -9` in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.inbox.messages import InboxMessage
from gateway.store import tables
from tests.support.lab import Crash, Lab

#: What is alerted is no matter here.
RULE = "- {id: lab.none, title: t, on: access.tamper, when: active, severity: low}"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path, pack=RULE)
    yield made
    made.close()


def visitor(lab: Lab, **more: Any) -> tuple[dict[str, Any], str]:
    one = lab.act("pass.put", site="s1", kind="qr", name="Mr Wu", **more)
    return one, str(lab.act("pass.code", id=one["id"])["code"])


def scan(lab: Lab, code: str, device: str = "door-1", **more: Any) -> InboxMessage:
    return lab.event(device, "access.requested", token=code, direction="in", **more)


def kept(lab: Lab) -> dict[str, Any]:
    ((body,),) = lab.rows(select(tables.passes.c.body))
    return dict(json.loads(body))


def decisions(lab: Lab) -> list[tuple[str, str | None]]:
    table = tables.decisions.c
    return [(row[0], row[1]) for row in lab.rows(select(table.reason, table.command).order_by(table.id))]


def everything(lab: Lab) -> str:
    """All that the database holds, as text; the journal unpacked."""
    from gateway.core.recovery import journal_batches

    texts = [str(list(journal_batches(lab.core.writer, 0)))]
    for table in tables.metadata.sorted_tables:
        if table.name not in ("journal", "snapshots"):
            texts.append(str(lab.rows(select(table))))
    return "\n".join(texts)


def test_a_native_door_asks_with_a_code_and_is_opened_once(lab: Lab) -> None:
    lab.device("door-1", type="door")
    _, code = visitor(lab, entries=1)
    message = scan(lab, code)
    lab.turn(message)
    (command,) = lab.sent("/commands")
    assert json.loads(command[1])["command"] == "open"
    lab.turn(message)
    lab.wait(10)
    lab.turn(scan(lab, code))
    assert [reason for reason, _ in decisions(lab)] == ["pass", "used_up"], "the same message again asks nothing"
    assert len(lab.sent("/commands")) == 1 and kept(lab)["used"] == 1
    (event, _) = lab.events("access.requested")
    assert json.loads(event[2])["credential_kind"] == "qr"


def test_old_and_retained_scans_open_nothing(lab: Lab) -> None:
    lab.device("door-1", type="door")
    _, code = visitor(lab)
    lab.turn(scan(lab, code))
    lab.wait(10)
    retained = scan(lab, code)
    lab.turn(lab.message(retained.topic, retained.payload, retain=True))
    lab.turn(scan(lab, code, _replay=True))
    lab.turn(scan(lab, code, ago=3600))
    assert [reason for reason, _ in decisions(lab)] == ["pass", "replay", "replay", "late"]
    assert len(lab.sent("/commands")) == 1


def test_a_face_terminal_scans_a_code_and_unlocks(lab: Lab) -> None:
    lab.device("face-1", type="door", adapter="mqttface", external_id="2600417", timezone="UTC")
    _, code = visitor(lab)
    info = {"facesluiceId": "2600417", "time": "2026-03-02 10:00:00", "QRCodeInfo": code}
    lab.raw("mqtt/face/2600417/QRCode", json.dumps({"operator": "QRCodePush", "info": info}))
    (unlock,) = lab.sent("mqtt/face/2600417")
    assert json.loads(unlock[1])["operator"] == "Unlock"
    assert [reason for reason, _ in decisions(lab)] == ["pass"]


def test_the_signature_of_a_code_is_nowhere_in_the_database(lab: Lab) -> None:
    lab.device("door-1", type="door")
    _, code = visitor(lab)
    signature = code.rpartition(".")[2]
    lab.turn(scan(lab, code))
    lab.turn(scan(lab, code, "stranger"))
    lab.raw("gatehouse/v1/s1/door-1/events", f'{{"token": "{code}"')
    lab.say("door-1", "access.granted", note=code)
    push = {"specversion": "1.0", "id": "x", "source": "d", "type": "access.requested", "data": {"token": code}}
    lab.push("cloudevents", "door-1", json.dumps([push, {**push, "id": "y"}]).encode())
    lab.act("pass.check", device="door-1", kind="qr", value=code)
    lab.wait(31)
    text = everything(lab)
    assert code.rpartition(".")[0] in text, "what says which code it was is there"
    assert signature not in text
    lab.crash()
    assert lab.core.restored.replayed >= 0 and signature not in everything(lab)


@pytest.mark.parametrize("where", ["before_ack", "before_publish"])
def test_kill_9_in_the_middle_of_an_entry_neither_loses_nor_doubles_it(lab: Lab, where: str) -> None:
    lab.device("gate-1", type="barrier")
    lab.act("pass.put", site="s1", kind="plate", value="A1", household="3-501", spaces=1, anti_passback=True)
    message = lab.event("gate-1", "access.requested", plate="A1", direction="in")

    def die() -> None:
        raise Crash

    setattr(lab.inbox, where, die)
    with pytest.raises(Crash):
        lab.turn(message)
    lab.crash()
    held = kept(lab)
    lab.turn(message)
    assert kept(lab) == held and held["inside"] is True, "the redelivered question is a duplicate"
    ((_, command),) = decisions(lab)
    assert command is not None and lab.command(command).state == "unknown", "it may have been raised"
    lab.wait(10)
    lab.turn(lab.event("gate-1", "access.requested", plate="A1", direction="in"))
    assert decisions(lab)[-1] == ("already_inside", None)


def test_kill_9_before_the_commit_leaves_the_space_free_and_the_question_is_asked_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.device("gate-1", type="barrier")
    lab.act("pass.put", site="s1", kind="plate", value="A1", household="3-501", spaces=1, anti_passback=True)
    message = lab.event("gate-1", "access.requested", plate="A1", direction="in")

    def die(rows: Any) -> None:
        raise Crash

    monkeypatch.setattr(lab.core.writer, "commit", die)
    with pytest.raises(Crash):
        lab.turn(message)
    assert lab.inbox.published == []
    lab.crash()
    assert kept(lab)["inside"] is False and decisions(lab) == []
    lab.turn(message)
    assert kept(lab)["inside"] is True and [reason for reason, _ in decisions(lab)] == ["pass"]
    assert len(lab.sent("/commands")) == 1


def test_the_keys_outlive_the_process_and_lie_in_a_file_of_its_owner(tmp_path: Path) -> None:
    from gateway.app.visitor_keys import FileKeys
    from gateway.errors import StorageFailed
    from gateway.services.visitor_codes import LONGEST

    path = tmp_path / "secrets" / "codes.json"
    first = FileKeys(path).keys()
    assert FileKeys(path).keys() == first and path.stat().st_mode & 0o777 == 0o600
    ring = FileKeys(path)
    ring.rotate(1000.0, at_once=False)
    assert FileKeys(path).keys() == ring.keys() and ring.keys()[0] == first[0] and len(ring.keys()) == 2
    ring.rotate(1001.0 + LONGEST, at_once=False)
    assert len(ring.keys()) == 2 and first[0] != ring.keys()[0]
    ring.rotate(5000.0, at_once=True)
    assert len(FileKeys(path).keys()) == 1
    path.write_text("[")
    with pytest.raises(StorageFailed, match="are void"):
        FileKeys(path).keys()
