"""Doors and face terminals."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.access.door import DoorController
from simulators.access.doorway import Doorway
from simulators.access.face_terminal import FaceTerminal, terminal_topics
from simulators.people import residents
from simulators.wire import Message, rfc3339
from tests.simulators.helpers import START, at, body, command, events, identity, play

PEOPLE = residents(1, ["b1"], 5)
COMMANDS = "gatehouse/v1/s1/d1/commands"


def a_door(people: bool = False, passes: float = 0.0) -> DoorController:
    return DoorController(identity(), 1, Doorway(), PEOPLE if people else [], passes)


def a_terminal(passes: float = 0.0, itself: bool = True) -> FaceTerminal:
    publish, subscribe = terminal_topics("1026700")
    own = identity("f1", "mqttface", "1026700", publish=publish, subscribe=subscribe)
    return FaceTerminal(own, 1, Doorway(), PEOPLE, passes, decides_itself=itself)


def records(messages: list[Message]) -> list[dict[str, object]]:
    return [body(m)["info"] for m in messages if m.topic.endswith("/Rec")]


def test_forced_door_reports_open_and_forced_until_mended() -> None:
    door = a_door()
    door.connected(at(0))
    play(door, 0, 1)
    door.begin("forced", at(1))
    opened = events(play(door, 1, 10), "access.door")
    assert opened[0] == {"state": "open", "locked": True, "forced": True, "cause": "force"}
    door.end("forced", at(12))
    closed = events(play(door, 12, 3), "access.door")
    assert closed == [{"state": "closed", "locked": True, "forced": False}]


def test_held_door_opens_in_the_ordinary_way_and_stays_open() -> None:
    door = a_door()
    door.begin("held", at(0))
    said = events(play(door, 0, 50), "access.door")
    assert {"state": "open", "locked": False, "forced": False, "cause": "granted"} in said
    assert not [data for data in said[said.index({**said[-1]}) :] if data["state"] == "closed"]
    assert door.doorway.opened


def test_open_command_is_executed_once_for_one_id() -> None:
    door = a_door()
    play(door, 0, 1)
    first = door.command(COMMANDS, command("open"), at(1))
    openings = events(play(door, 1, 10), "access.door", lambda data: data["state"] == "open")
    again = door.command(COMMANDS, command("open"), at(12))
    later = events(play(door, 12, 10), "access.door", lambda data: data["state"] == "open")
    assert [body(m)["status"] for m in (*first, *again)] == ["done", "done"]
    assert (len(openings), len(later)) == (1, 0), "a repeated id gets its answer again, but opens nothing"
    assert openings[0]["cause"] == "remote"


def test_expired_command_is_rejected_and_opens_nothing() -> None:
    door = a_door()
    play(door, 0, 1)
    answer = door.command(COMMANDS, command("open", expires=rfc3339(START - 1)), at(1))
    assert (body(answer[0])["status"], body(answer[0])["id"]) == ("rejected", "c1")
    assert not events(play(door, 1, 10), "access.door", lambda data: data["state"] == "open")


def test_locked_down_door_rejects_open_and_unknown_words_are_named() -> None:
    door = a_door()
    door.command(COMMANDS, command("lock", "c1"), at(0))
    refused = body(door.command(COMMANDS, command("open", "c2"), at(1))[0])
    unknown = body(door.command(COMMANDS, command("explode", "c3"), at(1))[0])
    assert (refused["status"], refused["detail"]) == ("rejected", "the door is locked down")
    assert "'explode'" in unknown["detail"] and "open, close, lock, unlock" in unknown["detail"]


def test_tamper_and_duress_are_told_once_each() -> None:
    door = a_door(people=True)
    play(door, 0, 1)
    door.begin("tamper", at(1))
    door.begin("duress", at(1))
    said = play(door, 1, 5)
    door.end("tamper", at(6))
    said += play(door, 6, 2)
    assert [data["active"] for data in events(said, "access.tamper")] == [True, False]
    assert len(events(said, "access.duress")) == 1


def test_reader_lets_residents_in_by_day_and_hardly_anyone_at_night() -> None:
    by_day = events(play(a_door(people=True, passes=200), 0, 120, hour=8), "access.granted")
    at_night = events(play(a_door(people=True, passes=200), 0, 120, hour=1, speed=10), "access.granted")
    assert len(by_day) > 10 > len(at_night)
    assert {data["card"] for data in by_day} <= {person.card for person in PEOPLE}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["release", "walk", "force", "mend", "lock"])), max_size=25))
def test_a_leaf_opens_unforced_only_through_a_released_lock(deeds: list[tuple[float, str]]) -> None:
    doorway, wall, released_until = Doorway(), 0.0, -1.0
    for pause, deed in deeds:
        wall += pause
        if deed == "release" and doorway.release(wall, "granted"):
            released_until = wall + 5.0
        elif deed == "walk":
            doorway.walk_through(wall, 0.5, 2.0)
        elif deed in ("force", "mend"):
            doorway.force(deed == "force")
        elif deed == "lock":
            doorway.mode = "locked"
        for change in doorway.advance(wall):
            assert not change.opened or change.forced or released_until >= 0, f"opened by nobody at {wall}"
            assert change.forced <= change.opened


def test_terminal_says_online_until_acknowledged_then_heartbeats() -> None:
    terminal = a_terminal()
    first = terminal.connected(at(0))
    before = play(terminal, 0, 65)
    terminal.command("mqtt/face/1026700", b'{"operator":"Online-Ack","info":{}}', at(65))
    after = play(terminal, 65, 65)
    assert [body(m)["operator"] for m in (*first, *before)] == ["Online"] * 3
    assert [body(m)["operator"] for m in after] == ["HeartBeat"] * 2


def test_record_is_sent_again_until_its_push_ack() -> None:
    terminal = a_terminal()
    terminal.connected(at(0))
    play(terminal, 0, 1)
    terminal.begin("denials", at(1))
    first = records(play(terminal, 1, 1))
    terminal.end("denials", at(2))
    again = records(play(terminal, 2, 50))
    number = first[0]["RecordID"]
    assert [info["RecordID"] for info in again] == [number] * 3, "every 15 s"
    ack = {"operator": "PushAck", "messageId": "m", "info": {"PushAckType": "2", "SnapOrRecordID": number}}
    terminal.command("mqtt/face/1026700", json.dumps(ack).encode(), at(52))
    assert records(play(terminal, 52, 40)) == []
    assert first[0]["VerifyStatus"] == "2"


def test_records_of_an_offline_terminal_come_later_marked_delayed() -> None:
    terminal = a_terminal()
    terminal.begin("denials", at(0))
    assert records(play(terminal, 0, 4)) == []
    terminal.end("denials", at(4))
    sent = records(terminal.connected(at(10)))
    assert [info["Sendintime"] for info in sent] == [0, 0]
    numbers = [int(str(info["RecordID"])) for info in sent]
    assert numbers == [numbers[0], numbers[0] + 1]


def test_replay_by_hand_marks_push_type_2() -> None:
    terminal = a_terminal(passes=2000)
    terminal.connected(at(0))
    play(terminal, 0, 20)
    terminal.begin("replay", at(20))
    assert any(info["PushType"] == 2 for info in records(play(terminal, 20, 1)))


def test_unlock_opens_once_per_message_id_and_answers_200_each_time() -> None:
    terminal = a_terminal()
    terminal.connected(at(0))
    order = json.dumps({"operator": "Unlock", "messageId": "u1", "info": {"DeviceID": "1026700", "Chn": 0}}).encode()
    answers = terminal.command("mqtt/face/1026700", order, at(1)) + terminal.command("mqtt/face/1026700", order, at(2))
    assert terminal.unlocks == 1
    assert [(body(m)["operator"], body(m)["messageId"], body(m)["code"]) for m in answers] == [
        ("Unlock-Ack", "u1", "200")
    ] * 2
    assert [change.opened for change in terminal.doorway.advance(START + 3)] == [True]


def test_terminal_that_asks_waits_for_the_unlock() -> None:
    terminal = a_terminal(passes=3000, itself=False)
    terminal.connected(at(0))
    said = records(play(terminal, 0, 20))
    assert {info["VerifyStatus"] for info in said} <= {"22", "2"} and said
    assert terminal.doorway.advance(START + 20) == []


def test_terminal_survives_nonsense_from_the_platform() -> None:
    terminal = a_terminal()
    for payload in (b"", b"\xff\xfe", b"[]", b"{}", b'{"operator":"PushAck","info":[]}', b'{"operator":3}'):
        assert terminal.command("mqtt/face/1026700", payload, at(0)) == []
