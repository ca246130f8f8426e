"""The journal as a stream of inputs: an engine that is told the same says the same, by whatever way the stream came."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine, delete, func, select, text

from gateway.app.core import CoreProcess
from gateway.app.definitions import load_definitions
from gateway.app.retrospect.sources import Source, file_source, journal_source, reading
from gateway.config import Home, Settings
from gateway.core.core import CoreSettings
from gateway.model import RuleChange
from gateway.store import tables
from rules import Engine, RuleSet
from rules.inputs import Excused, Head, Input, Passed, Placed, StreamError, Told, play, read_stream, write_stream
from tests.retrospect.support import HomeLab, answer, gatehouse, when
from tests.support.lab import START


def played(inputs: Iterable[Input], rules: RuleSet, site: HomeLab, state: bytes | None = None) -> list[RuleChange]:
    engine = Engine(rules, site._catalogue, {})
    if state is not None:
        engine.restore(state)
    return [change for given in inputs for change in play(engine, given)]


def source_of(site: HomeLab, since: float | None = None, until: float | None = None, warm_up: float = 0.0) -> Source:
    with reading(site.home, Settings()) as database:
        known = load_definitions(site.home)
        source = journal_source(database, Settings(), known, since, until, warm_up=warm_up)
        inputs = list(source.read(lambda _: None))
    return source._replace(read=lambda _: iter(inputs))


def all_of(source: Source) -> list[Input]:
    return list(source.read(lambda _: None))


class Spy:
    """Between the core and its engine: notes what the engine said."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.said: list[RuleChange] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.engine, name)
        if name not in ("process", "hear", "advance"):
            return found

        def call(*args: Any) -> list[RuleChange]:
            changes: list[RuleChange] = found(*args)
            self.said += changes
            return changes

        return call


def spied(site: HomeLab) -> Spy:
    spy = Spy(site.core.engine)
    site.core.engine = site.core.pipeline.engine = spy
    return spy


def test_an_engine_played_the_journal_says_what_the_live_one_said_to_the_last_bit(site: HomeLab) -> None:
    first = spied(site)
    crash, later = site.crash, []

    def crash_and_spy(pack: str | None = None) -> None:
        crash(pack)
        later.append(spied(site))

    site.crash = crash_and_spy  # type: ignore[method-assign]
    site.a_shift()
    said = first.said + later[0].said
    assert {change.rule for change in said} == {"door.held", "door.denials", "door.silent", "door.forced"}
    assert msgspec.json.encode(played(all_of(source_of(site)), site.rules, site)) == msgspec.json.encode(said)


@pytest.mark.slow
def test_a_look_back_begins_at_an_hourly_snapshot_with_the_engine_as_it_was(home: Home) -> None:
    site = HomeLab(home, settings=CoreSettings(snapshot_every=30))
    site.device("door-1", type="door", report_interval=60)
    for _ in range(100):
        site.say("door-1", "access.door", state="closed", forced=False)
        site.wait(120, step=60)
    site.say("door-1", "access.door", state="open", forced=False)
    kept = site.rows(select(tables.snapshots.c.time))
    assert 4 <= len(kept) <= 6, kept
    site.wait(31)
    source = source_of(site, since=START + 3 * 3600)
    assert source.state is not None and source.notes == ()
    inputs = all_of(source)
    assert isinstance(inputs[0], Placed) and inputs[0].known
    assert min(given.wall for given in inputs[1:]) > START + 2 * 3600
    came = played(inputs, site.rules, site, source.state)
    assert [(change.rule, change.at) for change in came] == [("door.held", site.alert("door.held").raised_at)]
    site.close()


def test_before_the_journal_the_stored_events_are_taken_and_it_is_said(site: HomeLab) -> None:
    site.device("door-1", type="door")
    for _ in range(4):
        site.say("door-1", "access.door", state="open", forced=False)
        site.wait(40)
        site.say("door-1", "access.door", state="closed", forced=False)
    whole = played(all_of(source_of(site)), site.rules, site)
    with site.core.writer.connection.begin():
        newest = select(func.max(tables.journal.c.id)).scalar_subquery()
        site.core.writer.connection.execute(delete(tables.journal).where(tables.journal.c.id < newest - 20))
        site.core.writer.connection.execute(delete(tables.snapshots))
    source = source_of(site, since=START - 60)
    assert "there is no journal" in source.notes[0][0]
    came = played(all_of(source), site.rules, site)
    assert [(change.rule, change.at) for change in came] == [(change.rule, change.at) for change in whole]


def test_an_export_read_back_is_the_same_stream(shift: HomeLab, tmp_path: Path) -> None:
    file = tmp_path / "week.inputs"
    shown = answer(gatehouse(shift.home, "journal", "export", str(file), "--json"))
    inputs = all_of(source_of(shift))
    assert shown["inputs"] == len(inputs)
    back = file_source(file, None, None)
    assert all_of(back) == inputs
    assert {Told, Placed, Passed, Excused} <= {type(given) for given in inputs}
    assert played(all_of(back), shift.rules, shift) == played(inputs, shift.rules, shift)


def test_an_export_of_a_span_has_that_span(shift: HomeLab, tmp_path: Path) -> None:
    file = tmp_path / "part.inputs"
    words = ("--since", when(START + 30), "--until", when(START + 60))
    shown = answer(gatehouse(shift.home, "journal", "export", str(file), "--json", *words))
    assert (shown["since"], shown["until"]) == (START + 30, START + 60)
    assert max(given.wall for given in all_of(file_source(file, None, None))) <= START + 60


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "yesterday"), "'yesterday' is no moment: write 30d"),
        (("--since", "2026-11-22T08:00:00"), "has no offset from UTC"),
        (("--since", "2031-01-01T00:00:00Z"), "nothing came in after 'since'"),
    ],
)
def test_a_wrong_span_is_refused_in_one_line(shift: HomeLab, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    result = gatehouse(shift.home, "journal", "export", str(tmp_path / "x.inputs"), *words)
    assert result.exit_code in (1, 2)
    assert says in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.glob("*x.inputs*")) == []


def test_a_home_without_a_gateway_is_told(home: Home, tmp_path: Path) -> None:
    result = gatehouse(home, "journal", "export", str(tmp_path / "x.inputs"))
    assert result.exit_code == 1 and "holds no gateway yet" in result.stderr


def test_a_closed_database_is_read_and_left_as_it_was(home: Home, tmp_path: Path) -> None:
    process = CoreProcess(home, Settings())
    process.recover()
    process.core.turn([])
    process.core.close()
    before = (home.data / "gatehouse.db").read_bytes()
    assert gatehouse(home, "journal", "export", str(tmp_path / "x.inputs")).exit_code == 0
    assert (home.data / "gatehouse.db").read_bytes() == before
    engine = create_engine(f"sqlite:///{home.data / 'gatehouse.db'}")
    with engine.connect() as connection:
        assert connection.execute(text("pragma integrity_check")).scalar() == "ok"
    engine.dispose()


def test_what_is_no_stream_or_was_cut_off_is_told() -> None:
    whole = io.BytesIO()
    head = Head(since=0.0, until=1.0, made_at=2.0)
    write_stream(whole, head, [Passed(1.0, 1.0)] * 5000)
    back, frames = read_stream(io.BytesIO(whole.getvalue()))
    assert back == head and sum(map(len, frames)) == 5000
    for body, says in (
        (b"", "not made by"),
        (b"PK\x03\x04 something else", "not made by"),
        (whole.getvalue()[:-4], "cut off"),
        (whole.getvalue()[:-900], "cut off"),
    ):
        with pytest.raises(StreamError, match=says):
            list(read_stream(io.BytesIO(body))[1])


def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "x"
    for body in (b"", b"hello", b"\x1f\x8b broken"):
        file.write_bytes(body)
        with pytest.raises(Exception, match=str(file)):
            file_source(file, None, None)
