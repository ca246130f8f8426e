"""FAULTS, group B: a disk that is full. Nothing is acknowledged, it is told, and it goes on by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.core import rejects
from gateway.errors import Invalid, StorageFailed, Unavailable
from gateway.model import Action
from gateway.store import tables
from gateway.store.writer import WriteBatch
from tests.support.brokers import wait_until
from tests.support.gateway import RealGateway, cloud_event
from tests.support.lab import ADMIN, Lab


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The data folder of a home, as a file system of its own of 8 MB."""
    data = tmp_path / "home" / "data"
    data.mkdir(parents=True)
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(data)], check=False, capture_output=True
    ).returncode  # fmt: skip
    if not mounted:
        reason = "a small file system can be mounted by root alone"
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(reason)
        pytest.skip(reason)
    yield data
    subprocess.run(["umount", "-l", str(data)], check=True)


@pytest.mark.slow
def test_fault_019_020_a_full_disk_is_told_and_survived_without_a_loss(small_disk: Path) -> None:
    with RealGateway(small_disk.parent) as gateway:
        assert gateway.home.data == small_disk
        credential = gateway.add_device("meter", type="meter")
        assert gateway.get("/status")["links"]["store"] == "up"
        core = gateway.pids()["core"]
        ballast = small_disk / "ballast"
        _fill(ballast)
        sent = 0
        with gateway.client(credential) as client:
            before = gateway.ledger().get("accepted", 0)
            while sent < 400:
                body = cloud_event("meter", "meter.reading", f"n{sent}", {"energy_kwh": float(sent)})
                client.publish("gatehouse/v1/s1/meter/events", body)
                sent += 1
            gateway.wait_for("/status", lambda status: status["links"]["store"] == "down")
            full = gateway.get("/status")["core"]["store"]
            assert "full" in full["detail"], full
            assert gateway.ledger().get("accepted", 0) < before + sent
            ballast.unlink()
            wait_until(lambda: gateway.ledger().get("accepted", 0) == before + sent, what=f"{sent}; {gateway.ledger()}")
        assert gateway.pids()["core"] == core, "it went on by itself"
        gateway.wait_for("/status", lambda status: status["links"]["store"] == "up")
        kept = gateway.sql("select count(distinct json_extract(data, '$.energy_kwh')) from readings")
        assert kept == [(sent,)]
        assert gateway.sql("pragma integrity_check") == [("ok",)]


def _fill(ballast: Path) -> None:
    with open(ballast, "wb", buffering=0) as file:
        for size in (65_536, 4096):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


def test_an_action_that_waited_while_the_disk_was_full_is_not_carried_out(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.device("door-1", type="door")
    told: list[object] = []
    request = Action(
        name="command.request", args={"device": "door-1", "name": "open", "reason": "let me in"}, actor=ADMIN
    )
    lab.core.submit(request, lambda result, error: told.append(error))
    lab.clock.at += 600
    lab.core.turn([])
    assert isinstance(told[0], Unavailable)
    assert lab.sent("commands") == []
    assert lab.rows(select(tables.commands.c.id)) == []
    lab.close()


def test_requests_beyond_what_may_wait_are_refused_at_once(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    told: list[object] = []
    for _ in range(10_050):
        lab.core.submit(Action(name="audit.note", args={}, actor=ADMIN), lambda result, error: told.append(error))
    assert [type(error) for error in told] == [Unavailable] * 50
    lab.core.turn([])
    assert len(told) == 50 + lab.core.settings.batch, "a batch takes as many as a batch of messages has"
    lab.close()


def test_a_row_that_no_table_takes_ends_the_core_instead_of_being_tried_for_ever(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.device("d1")
    row = lab.rows(select(tables.journal))[0]
    with pytest.raises(StorageFailed, match=r"UNIQUE constraint failed.*refused again") as refused:
        lab.core._commit(WriteBatch(journal=[row]))
    assert refused.value.facts["fatal"]
    lab.crash()
    lab.say("d1", "access.door", state="open")
    assert lab.ledger()["accepted"] == 1
    lab.close()


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"id": "d2", "external_id": "d1"}, r"serial 'd1' belongs to device 'd1' already"),
        ({"id": "d3", "external_id": "x"}, r"device 'd3' stands in the list twice"),
        ({"id": "d4", "external_id": "x3"}, r"serial 'x3' belongs to device 'd3' already"),
    ],
)
def test_an_import_with_a_serial_twice_is_refused_whole(tmp_path: Path, second: dict[str, str], reason: str) -> None:
    lab = Lab(tmp_path)
    lab.device("d1")
    first = {"id": "d3", "external_id": "x3", "site": "s1", "adapter": "cloudevents"}
    with pytest.raises(Invalid, match=reason):
        lab.act("device.import", devices=[first, {"site": "s1", "adapter": "cloudevents", **second}])
    assert set(lab.core.registry.devices) == {"gateway", "d1"}
    lab.say("d1", "access.door", state="open")
    assert lab.ledger()["accepted"] == 1
    lab.close()


def test_strangers_beyond_the_limit_are_let_go_of_the_longest_silent_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "MOST_STRANGERS", 5)
    lab = Lab(tmp_path)
    for number in range(8):
        lab.clock.at += 1
        lab.say(f"ghost-{number}", "access.door", state="open")
    lab.say("ghost-3", "access.door", state="closed")
    lab.wait(1)
    kept = {row[0] for row in lab.rows(select(tables.quarantine.c.external_id))}
    assert kept == {f"ghost-{number}" for number in range(3, 8)}
    lab.say("ghost-0", "access.door", state="open", id="later")
    lab.wait(1)
    kept = {row[0] for row in lab.rows(select(tables.quarantine.c.external_id))}
    assert kept == {"ghost-0", "ghost-3", "ghost-5", "ghost-6", "ghost-7"}
    lab.crash()
    assert len(lab.core.pipeline.rejects._strangers) == 5
    lab.close()


def test_retained_messages_that_wait_for_the_broker_are_one_a_topic(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.device("d1", type="door")
    lab.inbox.up = False
    lab.say("d1", "access.tamper", active=True)
    alert = lab.alerts()[0].id
    for number in range(20):
        lab.act("alert.comment", alert=alert, text=f"still {number}")
    lab.wait(1)
    assert len(lab.rows(select(tables.outbox.c.id).where(tables.outbox.c.topic.contains(alert)))) <= 1
    lab.inbox.up = True
    lab.wait(1)
    assert len(lab.sent(f"alerts/{alert}")) == 1
    lab.wait(1)
    assert lab.rows(select(tables.outbox.c.id)) == []
    lab.close()


def test_an_adapter_or_rule_that_fails_inside_costs_one_message(lab_d1: Lab) -> None:
    real = lab_d1.core.engine.process

    def broken(event: object) -> object:
        lab_d1.core.engine.process = real
        raise OverflowError("too large")

    lab_d1.core.engine.process = broken
    lab_d1.say("d1", "access.door", state="open")
    lab_d1.say("d1", "access.door", state="closed")
    assert lab_d1.ledger() == {"received": 2, "undecodable": 1, "accepted": 1}
    assert "OverflowError: too large" in lab_d1.letters()[0][2]


@pytest.fixture
def lab_d1(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    lab.device("d1", type="door")
    yield lab
    lab.close()


def test_a_device_that_invents_kinds_and_fields_does_not_grow_without_end(lab_d1: Lab) -> None:
    for number in range(200):
        lab_d1.clock.at += 0.01
        lab_d1.say("d1", f"odd.kind-{number}", **{f"field_{number}_{index}": index for index in range(20)})
        lab_d1.say("d1", "odd.fields", **{f"field_{number}_{index}": index for index in range(20)})
    state = lab_d1.core.pipeline.states.devices["d1"]
    assert len(state.kinds) == 64
    assert "odd.kind-199" in state.kinds and "odd.fields" in state.kinds
    assert len(state.kinds["odd.fields"]["data"]) <= 500
    assert lab_d1.ledger() == {"received": 400, "accepted": 400}
