"""The read side of the store, the same over SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.catalogue import load_catalogue
from gateway.history import ReadingsHistory
from gateway.history.readings import Point, with_gaps
from gateway.store import tables as t
from gateway.store.queries import Reader
from tests.api.conftest import NOW, add_callers, an_alert, fill
from tests.api.core_double import CoreDouble
from tests.store.postgres import programs, running_postgres


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'gatehouse.db'}"
    elif programs() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL's programs are not installed")
        pytest.skip("PostgreSQL's programs are not installed")
    else:
        with running_postgres() as server:
            yield server


@pytest.fixture(scope="module")
def core(url: str) -> Iterator[CoreDouble]:
    core = CoreDouble(url)
    t.metadata.create_all(core.engine)
    fill(core)
    add_callers(core)
    yield core
    core.engine.dispose()


@pytest.fixture(scope="module")
def reader(url: str, core: CoreDouble) -> Iterator[Reader]:
    reader = Reader(url)
    yield reader
    reader.close()


def test_the_reader_cannot_write(reader: Reader) -> None:
    with reader.engine.connect() as connection, pytest.raises((SQLAlchemyError, sqlite3.Error)):
        connection.execute(text("DELETE FROM alerts"))
    assert len(reader.alerts().items) == 2


def test_the_reader_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    reader = Reader(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(SQLAlchemyError):
        reader.ledger()
    reader.close()
    assert list(tmp_path.iterdir()) == []


def test_the_reader_holds_back_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "gatehouse.db"
    core = CoreDouble(f"sqlite:///{path}")
    t.metadata.create_all(core.engine)
    reader = Reader(f"sqlite:///{path}")
    reader.ledger()
    core.put_alert(an_alert("al-1"))
    with core.engine.connect() as connection:
        busy, pages, moved = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    assert (busy, pages, moved) == (0, 0, 0)
    assert reader.alert("al-1") is not None, "and the reader sees what was written after its first look"
    reader.close()
    core.engine.dispose()


def test_things_by_id_and_site(reader: Reader) -> None:
    assert reader.alert("al-east") is not None and reader.alert("al-east", ("west",)) is None
    assert reader.work_order("WO-1-east") == reader.work_order("wo-east") and reader.work_order("none") is None
    device = reader.device("east-cam", ("east", "other"))
    assert device is not None and device.device.name["zh"] == "相机" and device.standing.online is True
    assert device.standing.kinds["parking.vehicle"]["data"]["direction"] == "in"
    assert reader.plan_run("run-west") is not None and reader.command("cmd-west", ("east",)) is None
    assert [site.id for site in reader.sites()] == ["east", "west"]
    assert [zone.id for zone in reader.zones(("west",))] == ["west-gate"]


def test_devices_by_part_of_a_name_in_any_script(reader: Reader) -> None:
    assert [row.device.id for row in reader.devices(q="相机").items] == ["east-cam", "west-cam"]
    assert [row.device.id for row in reader.devices(q="CAM", site="west").items] == ["west-cam"]
    assert reader.devices(q="%").items == [] and reader.devices(q="SN-E").items[0].device.id == "east-cam"


def test_pages_go_on_where_they_ended(reader: Reader) -> None:
    first = reader.alerts(limit=1)
    second = reader.alerts(limit=1, after=first.next)
    assert [first.items[0].id, second.items[0].id] == ["al-west", "al-east"] and second.next is None
    page = reader.quarantine(limit=1)
    assert page.next == ("vzenith", "east-new")
    assert [entry.external_id for entry in reader.quarantine(limit=5, after=page.next).items] == ["west-new"]
    assert [event.seq for event in reader.events(limit=3, after=(5,)).items] == [4, 3, 2]


def test_events_between_two_times(reader: Reader) -> None:
    assert [event.seq for event in reader.events(since=NOW + 3, until=NOW + 6).items] == [5, 4, 3]
    assert [event.seq for event in reader.events(since=NOW + 9).items] == [10, 9]
    assert reader.events(since=NOW + 99).items == [] and reader.events(until=NOW).items == []
    assert [event.seq for event in reader.events(("west",), kind=("parking.vehicle",), until=NOW + 5).items] == [4, 2]


def test_dead_letters_of_a_site_are_those_of_its_devices(reader: Reader, core: CoreDouble) -> None:
    assert [letter.device for letter in reader.dead_letters().items] == ["sn-west", "sn-east"]
    assert [letter.device for letter in reader.dead_letters(("east",)).items] == ["sn-east"]
    for topic, adapter in (("gatehouse/v1/east/x/events", "cloudevents"), ("ingest/vzenith/east-cam", "vzenith")):
        letter = {"received": NOW, "fate": "undecodable", "adapter": adapter, "topic": topic, "device": "", "place": ""}
        core.run(
            insert(t.dead_letters).values(letter | {"reason": "", "size": 0, "payload": b"", "state": "discarded"})
        )
    discarded = [
        len(reader.dead_letters(sites, state="discarded").items) for sites in ((), ("east",), ("west",), ("e",))
    ]
    assert discarded == [2, 2, 0, 0]
    assert reader.dead_letter(1, ("west",)) is None and reader.dead_letter(1, ("east",)).payload == b"abc"  # type: ignore[union-attr]


def test_counts_ledger_figures_and_people(reader: Reader) -> None:
    assert reader.ledger() == {"received": 12, "accepted": 10, "duplicate": 2}
    assert reader.counts(("east",))["alerts_open"] == 1 and reader.counts()["dead_letters"] == 2
    assert reader.open_alerts_by_severity() == {"high": {"unacknowledged": 2}}
    assert reader.figures()["journal_position"] == 0
    user = reader.user("anna")
    assert user is not None and user.sites == () and reader.users().items == [user]
    assert {token.name for token in reader.tokens().items} >= {"viewer", "west-admin", "revoked"}
    assert reader.audit(action="pass.put").items[0].detail == {"value": "京A12345"}
    assert reader.decisions().items == []


def test_changes_past_a_position_in_order(reader: Reader, core: CoreDouble) -> None:
    oldest, newest = reader.change_span()
    found = reader.changes_after(oldest, 2)
    assert [change.id for change in found] == [oldest + 1, oldest + 2]
    assert reader.changes_after(newest) == []


def test_history_reads_numbers_and_truth_values_only(reader: Reader, core: CoreDouble) -> None:
    values = ("1.5", "true", '"x"', "null", "[1]", "2")
    with core.engine.connect() as connection:
        if connection.scalar(select(t.readings.c.seq).limit(1)) is None:
            core.run(*(
                insert(t.readings).values(
                    seq=number, site="east", device="east-cam", kind="meter.odd", time=NOW + number * 60, received=NOW,
                    late=False, replay=False, key=b"", digest=1, data=f'{{"v\'$x":{value},"v":{value}}}',
                )
                for number, value in enumerate(values)
            ))  # fmt: skip
    history = ReadingsHistory(reader.engine, load_catalogue())
    series = history.series("east-cam", "v", since=NOW, until=NOW + 360, points=50)
    assert [(point.time - NOW, point.value) for point in series] == [(0, 1.5), (60, 1.0), (180, None), (300, 2.0)]
    thin = history.series("east-cam", "v", since=NOW, until=NOW + 360, points=1)
    assert [point.value for point in thin] == [1.5]
    assert history.series("east-cam", "v'$x", since=NOW, until=NOW + 60, points=5)[0].value == 1.5


def test_gaps_are_marked_in_their_middle() -> None:
    points = [Point(0, 1.0), Point(10, 2.0), Point(60, 3.0)]
    assert with_gaps(points, 10) == [Point(0, 1.0), Point(10, 2.0), Point(35, None), Point(60, 3.0)]
    assert with_gaps(points, 0) == points and with_gaps([], 5) == []
