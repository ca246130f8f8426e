"""Lists are chosen out of indexes: nothing of what they leave out is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text

import gateway.store
from gateway.store.migrate import upgrade
from gateway.store.queries import Reader


def migrated_to(url: str, revision: str) -> None:
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(gateway.store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def an_alert(id: str, state: str, shelving: str) -> dict[str, Any]:
    body = (
        f'{{"id":"{id}","site":"s","rule":"fire.alarm","scope":"d","severity":"high","state":"{state}",'
        f'"title":{{"en":"x"}},"shelving":{shelving}}}'
    )
    return {"id": id, "state": state, "body": body}


def test_what_was_aside_before_the_lists_were_indexed_is_aside_still_by_its_kind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    migrated_to(url, "0008")
    engine = create_engine(url)
    put_aside = '{"by":"user:anna","reason":"known","from_at":1.0,"until_at":2.0,"until_due":2.0}'
    with engine.begin() as connection:
        connection.execute(
            text("insert into alerts (id, site, state, severity, rule, scope, raised_at, version, body) "
                 "values (:id, 's', :state, 'high', 'fire.alarm', 'd', 1.0, 1, :body)"),
            [an_alert("a1", "unacknowledged", put_aside), an_alert("a2", "unacknowledged", "null"),
             an_alert("a4", "returned", put_aside[:-1] + ',"kind":"out_of_service"}'),
             an_alert("a3", "closed", put_aside)],
        )  # fmt: skip
    upgrade(engine)
    engine.dispose()
    reader = Reader(url)
    assert [alert.id for alert in reader.alerts(state="shelved").items] == ["a1"]
    assert [alert.id for alert in reader.alerts(state="out_of_service").items] == ["a4"]
    assert [alert.id for alert in reader.alerts(state="open").items] == ["a4", "a2", "a1"]
    reader.close()


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"state": "open"}, "alerts_unfinished"),
        ({"state": "open", "folded": False, "severity": ["critical"]}, "alerts_unfinished"),
        ({"state": "shelved"}, "alerts_aside"),
        ({"state": "out_of_service"}, "alerts_aside"),
        ({"rule": "never"}, "alerts_list"),
        ({"site": "nowhere"}, "alerts_list"),
    ],
)
def test_alerts_are_chosen_by_their_index_alone(tmp_path: Path, asked: dict[str, Any], index: str) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    migrated_to(url, "head")
    reader = Reader(url)
    asked_for: list[tuple[str, Any]] = []
    event.listen(
        reader.engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked_for.append((sql, values))
    )
    reader.alerts(**asked)
    sql, values = asked_for[0]
    with reader.engine.connect() as connection:
        plan = " ".join(str(row) for row in connection.exec_driver_sql(f"explain query plan {sql}", values))
    assert index in plan and "TEMP B-TREE" not in plan
    reader.close()
