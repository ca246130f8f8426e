"""Why a rule has an alert for a device, or none: now, or at a time that the journal reaches back to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Engine as Database
from sqlalchemy import select

from gateway.app.definitions import load_definitions
from gateway.app.retrospect.sources import clock, lookback, reading
from gateway.app.rule_packs import rules_in_force
from gateway.config import Home, Settings
from gateway.core.lookback import Beginning, Query
from gateway.errors import Invalid, NotFound, Unavailable
from gateway.model import Alert, Catalogue, Event
from gateway.store import tables
from rules import Engine
from rules.conditions import CompiledRule
from rules.explain import Answer, Seen, Standing, Watch, explain
from rules.inputs import Input, Placed
from rules.language import Rule, Text

#: Stored events of one kind that are looked through for the newest that was judged.
_LOOKED_THROUGH = 50
#: However long ago the device's last event was, no more than this is replayed for what it looks back on, in seconds.
_REPLAYED_AT_MOST = 6 * 3600.0


class Looked(msgspec.Struct):
    """How far the inputs were played."""

    at: float
    wall: float


def why(home: Home, settings: Settings, rule: str, device: str, at: float | None = None) -> Answer:
    """The answer for the wall time `at`, None for now. Raises `NotFound`, `Invalid` or `Unavailable`."""
    known = load_definitions(home, kept=True)
    with reading(home, settings) as database:
        back = lookback(database, settings, known)
        span = back.span()
        if span is None:
            raise Unavailable("the journal is empty: nothing has come in yet")
        if at is not None and at < span[0]:
            raise Invalid("at", f"the journal begins at {clock(span[0])}: choose a later time")
        rules = rules_in_force(home, settings, known.catalogue, at)
        wanted = rules.get(rule)
        if wanted is None:
            raise NotFound(
                "rule" if at is None else f"rule in force at {clock(at)} called", rule, [one.id for one in rules]
            )
        query = Query(database)
        _require_device(query, device)
        until = span[1] if at is None else at
        beginning = back.beginning(_before_its_last_word(query, wanted, known.catalogue, device, until))
        engine = Engine(rules, known.catalogue, {})
        if beginning.state is not None:
            engine.restore(beginning.state)
        watch = Watch(engine, wanted.id, device)
        looked = _play(watch, engine, beginning, back.inputs(beginning, until), until)
        for kind in wanted.kinds:
            event = None if kind in watch.seen else _stored(query, wanted, device, kind, beginning.time)
            if event is not None:
                # What its `previous` and its like were is not known so long afterwards.
                watch.seen[kind] = Seen(event, None)
        scene = watch.scene(looked.wall, looked.at)
        notes = _notes(beginning)
        standing = _standing(query, rule, scene.place, looked.wall, now=at is None)
        since = None if notes else beginning.time
        if at is not None:
            notes += _changed(wanted, rules_in_force(home, settings, known.catalogue).get(rule))
        return explain(scene, known.catalogue, standing, notes, since)


def alert_of(database: Database, ident: str) -> Alert:
    """An alert by its id. Raises `NotFound`."""
    rows = Query(database).select(select(tables.alerts.c.body).where(tables.alerts.c.id == ident))
    if not rows:
        raise NotFound("alert", ident)
    return msgspec.json.decode(rows[0][0], type=Alert)


def _play(watch: Watch, engine: Engine, beginning: Beginning, inputs: Iterator[Input], until: float) -> Looked:
    """Brings the engine to the wall time `until`; where it stands then."""
    looked = Looked(beginning.at, beginning.time)
    for given in inputs:
        if given.wall > until:
            break
        watch.play(given)
        if not (isinstance(given, Placed) and given.known):
            looked = Looked(max(looked.at, given.at), given.wall)
    at = max(looked.at, looked.at + until - looked.wall)
    engine.advance(at)
    return Looked(at, max(until, looked.wall))


def _require_device(query: Query, device: str) -> None:
    if not query.select(select(tables.devices.c.id).where(tables.devices.c.id == device)):
        raise NotFound("device", device)


def _before_its_last_word(query: Query, rule: Rule, catalogue: Catalogue, device: str, until: float) -> float:
    """From where to replay: before the device's last event, where the rule looks back from it on earlier ones."""
    kinds = CompiledRule(rule, catalogue).looks_back
    events = [event for kind in kinds if (event := _stored(query, rule, device, kind, until)) is not None]
    last = max((event.received for event in events), default=until)
    return last - 0.001 if last > until - _REPLAYED_AT_MOST else until


def _stored(query: Query, rule: Rule, device: str, kind: str, until: float) -> Event | None:
    """The newest stored event of the kind that the rule may have judged."""
    for table in (tables.events, tables.readings):
        c = table.c
        rows = query.select(
            select(c.seq, c.site, c.time, c.received, c.late, c.replay, c.data)
            .where(c.device == device, c.kind == kind, c.received <= until)
            .order_by(c.seq.desc())
            .limit(_LOOKED_THROUGH)
        )
        for seq, site, time, received, late, replay, data in rows:
            if replay or (late and not rule.late):
                continue
            told: dict[str, Any] = msgspec.json.decode(data)
            return Event(device, kind, time, received, received, told, b"", "", site, False, bool(late), seq)
    return None


def _standing(query: Query, rule: str, place: str, wall: float, *, now: bool) -> Standing | None:
    """The alert that was open at the moment."""
    c = tables.alerts.c
    rows = query.select(
        select(c.body)
        .where(c.rule == rule, c.scope == place, c.raised_at <= wall)
        .order_by(c.raised_at.desc())
        .limit(1)
    )
    if not rows:
        return None
    alert = msgspec.json.decode(rows[0][0], type=Alert)
    if alert.closed_at is not None and alert.closed_at <= wall:
        return None
    if alert.momentary and (now or alert.raised_at < wall):
        return None
    shelving = alert.shelving
    shelved = shelving is not None and shelving.from_at <= wall < shelving.until_at
    return Standing(
        alert=alert.id,
        raised_at=alert.raised_at,
        shelved_by=shelving.by if shelving is not None and shelved else "",
        shelved_until=shelving.until_at if shelving is not None and shelved else None,
    )


def _changed(then: Rule, now: Rule | None) -> list[Text]:
    """What is to be said where the rule is another today."""
    if now == then:
        return []
    if now is None:
        return [{"en": "the rule was taken away since", "zh": "该规则此后已被删除"}]
    return [{"en": "by the rule as it was then; it was changed since", "zh": "按当时的规则判断；该规则此后有修改"}]


def _notes(beginning: Beginning) -> list[Text]:
    if beginning.whole or beginning.state is not None:
        return []
    told = clock(beginning.time)
    return [
        {
            "en": f"no snapshot is old enough: the engine began empty at {told}, and remembers nothing from before",
            "zh": f"没有足够早的快照:引擎从 {told} 空白开始,不记得之前的情况",
        }
    ]
