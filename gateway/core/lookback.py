"""Looking back: the journal read by another process than the core, as the stream of inputs that the engine got.

Nothing is written, and nothing is decided again: the pipeline runs as in a replay after a start, with an engine that
notes what it is told instead of judging it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec
from sqlalchemy import Engine as Database
from sqlalchemy import func, select

from gateway.contract import Adapter
from gateway.core.identity import Keys
from gateway.core.journal import Batch
from gateway.core.pipeline import Pipeline
from gateway.core.ports import Desk
from gateway.core.recovery import Snapshot, begin_at, journal_batches, load_places, load_states
from gateway.core.registry import Registry
from gateway.core.sheet import Sheet
from gateway.model import Catalogue, Device, Event, RuleChange, Site
from gateway.store import tables
from rules.inputs import Excused, Heard, Input, Passed, Placed, told


class Listener:
    """Stands in for the engine: it notes its inputs. `lag` is how far the steady clock is ahead of the wall clock."""

    def __init__(self) -> None:
        self.lag = 0.0
        self.rules: Any = None
        self._inputs: list[Input] = []
        self._passed: float | None = None

    def take(self) -> list[Input]:
        """What it was told since the last time."""
        taken, self._inputs = self._inputs, []
        return taken

    def set_rules(self, rules: Any, now: float) -> list[RuleChange]:
        """Nothing: whoever plays the inputs brings rules of his own."""
        return []

    def process(self, event: Event) -> list[RuleChange]:
        """An event, which tells the time as well."""
        self._told_the_time(event.at)
        self._inputs.append(told(event))
        return []

    def hear(self, device: str, at: float) -> list[RuleChange]:
        """So does what is heard."""
        self._told_the_time(at)
        self._inputs.append(Heard(at, at - self.lag, device))
        return []

    def advance(self, now: float) -> list[RuleChange]:
        """Kept until something else comes: of a row of times only the last says anything."""
        self._passed = now
        return []

    def next_due(self) -> float | None:
        """At any time: then it is told of every moment that an engine with timers would be told of."""
        return float("-inf")

    def set_topology(
        self, devices: Iterable[Device], now: float | None = None, zones: Mapping[str, str] | None = None
    ) -> None:
        """Devices that changed, and the time zones."""
        self.flush()
        at = now or 0.0
        self._inputs.append(Placed(at, at - self.lag, list(devices), dict(zones or {})))

    def excuse(self, seconds: float, now: float) -> None:
        """Nobody listened."""
        self.flush()
        self._inputs.append(Excused(now, now - self.lag, seconds))

    def flush(self) -> None:
        """Notes the time that has come, where nothing else told it."""
        if self._passed is not None:
            self._inputs.append(Passed(self._passed, self._passed - self.lag))
            self._passed = None

    def _told_the_time(self, at: float) -> None:
        if self._passed is not None and self._passed > at:
            self.flush()
        self._passed = None


class Query:
    """Reads a database that another process writes: each question is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def select(self, statement: Any) -> list[tuple[Any, ...]]:
        """All rows of `statement`."""
        with self._database.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """Where a look back starts. `state` is what the engine remembered there, None where it knew nothing.

    `at` and `time` are the steady and the wall clock of that moment; `whole` is whether the gateway itself began there.
    """

    journal: int
    at: float
    time: float
    state: bytes | None = None
    whole: bool = False


class Lookback:
    """One look back: `beginning`, then `inputs`, once."""

    def __init__(
        self,
        query: Query,
        *,
        adapters: Mapping[str, Adapter],
        catalogue: Catalogue,
        default_site: Site,
        remember_ids: int,
        redelivery: float,
        max_payload: int,
    ) -> None:
        self._query = query
        self._remember = remember_ids
        self._registry = Registry(default_site)
        self._listener = Listener()
        self._pipeline = Pipeline(
            adapters=adapters,
            registry=self._registry,
            catalogue=catalogue,
            engine=self._listener,
            desk=cast(Desk, None),  # A replay asks the services nothing.
            keys=Keys(remember_ids, redelivery),
            max_payload=max_payload,
        )

    def span(self) -> tuple[float, float] | None:
        """The wall times of the journal's first and last batch; None where it is empty."""
        kept = tables.journal.c
        first, last = self._query.select(select(func.min(kept.id), func.max(kept.id)))[0]
        if first is None:
            return None
        times = dict(self._query.select(select(kept.id, kept.time).where(kept.id.in_([first, last]))))
        return (times[first], times[last]) if len(times) == 2 or first == last else None

    @property
    def seq(self) -> int:
        """The number of the newest event so far; at the beginning, of the one before it."""
        return self._pipeline.seq

    def sites(self) -> list[Site]:
        """The sites as they are known at this point of the look back."""
        return list(self._registry.sites.values())

    def places(self, at: float, time: float) -> Placed:
        """The devices that are known at this point of the look back, as the first input of an engine."""
        return Placed(at, time, list(self._registry.devices.values()), self._registry.time_zones, True)

    def beginning(self, since: float) -> Beginning:
        """The newest place at or before the wall time `since` from where the state is known, else the journal's first.

        At the first batch the engine knew nothing, if that is where the gateway began.
        """
        snapshot, kept = tables.snapshots.c, tables.journal.c
        found = self._query.select(
            select(snapshot.journal, snapshot.at, snapshot.time)
            .where(snapshot.time <= since, snapshot.journal >= select(func.min(kept.id) - 1).scalar_subquery())
            .order_by(snapshot.journal.desc())
        )
        for number, at, time in found:
            body = self._query.select(select(snapshot.body).where(snapshot.journal == number))
            try:
                state = msgspec.msgpack.decode(body[0][0] if body else b"", type=Snapshot)
            except msgspec.DecodeError:
                continue
            self._begin(number, at - time, state)
            return Beginning(journal=number, at=at, time=time, state=state.engine)
        first = self._query.select(select(kept.id, kept.at, kept.time).order_by(kept.id).limit(1))
        if not first:
            self._begin(0, 0.0, None)
            return Beginning(journal=0, at=0.0, time=0.0, whole=True)
        number, at, time = first[0]
        self._begin(number - 1, at - time, None)
        return Beginning(journal=number - 1, at=at, time=time, whole=number == 1)

    def _begin(self, position: int, lag: float, state: Snapshot | None) -> None:
        sites, zones, devices, _ = load_places(self._query)
        self._registry.load(sites, zones, devices)
        self._pipeline.states.devices.update(load_states(self._query))
        begin_at(self._query, self._pipeline, position, lag, state, self._remember)
        self._listener.lag = lag

    def inputs(
        self,
        beginning: Beginning,
        until: float,
        on_batch: Callable[[float], None] = lambda time: None,
    ) -> Iterator[Input]:
        """All inputs past `beginning` up to the wall time `until`; `on_batch` is told how far it has come.

        The first is the devices that were known then.
        """
        listener, pipeline = self._listener, self._pipeline
        yield self.places(beginning.at, beginning.time)
        for _, at, time, batch in journal_batches(self._query, beginning.journal):
            if time > until:
                break
            on_batch(time)
            listener.lag = _lag(batch, at - time)
            # The sheet's rows are for tables that nobody writes here: it is let go of with them.
            pipeline.replay(batch.entries, at, Sheet(pipeline.seq, at, time))
            listener.flush()
            yield from listener.take()


def _lag(batch: Batch, otherwise: float) -> float:
    """How far the steady clock was ahead of the wall clock: an entry knows it exactly."""
    return batch.entries[-1].at - batch.entries[-1].wall if batch.entries else otherwise
