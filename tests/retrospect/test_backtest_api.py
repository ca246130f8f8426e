"""Backtests through the API: started, followed, read, cancelled; in processes of their own."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.retrospect.support import PACK, Api, HomeLab, when
from tests.support.lab import START

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
PATH = "/rules/backtest"


async def test_a_backtest_is_started_followed_and_compared_with_what_did_fire(api: Api, shift: HomeLab) -> None:
    run = await api.ask("POST", PATH, 202, pack=PACK.replace("for: 30s", "for: 40s"), since=when(START))
    assert run["state"] == "running" and 0 <= run["progress"] <= 1 and run["by"] == "token:engineer"
    over = await api.until_over(f"{PATH}/{run['id']}")
    assert over["state"] == "done" and over["progress"] == 1 and over["error"] is None
    report = over["report"]
    assert [one["rule"] for one in report["comparison"]["only_then"]] == ["door.held"]
    assert report["comparison"]["only_now"] == []
    assert len(report["comparison"]["matched"]) == len(shift.alerts()) - 1
    assert report["since"] == "2026-03-02T10:00:00.000Z"
    assert report["alerts"][0]["raised_at"].endswith("Z")
    listed = await api.ask("GET", PATH)
    assert [one["id"] for one in listed["items"]] == [run["id"]] and "report" not in listed["items"][0]


async def test_a_broken_pack_is_told_with_its_line_and_without_a_path(api: Api, shift: HomeLab) -> None:
    run = await api.ask("POST", PATH, 202, pack="- {id: x, title: X, severity: bad, on: access.door}\n")
    over = await api.until_over(f"{PATH}/{run['id']}")
    assert over["state"] == "failed"
    detail = over["error"]["detail"]
    assert over["error"]["code"] == "invalid" and "  pack.yaml:1:" in detail and "/tmp" not in detail


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"since": when(START), "until": when(START)}, "is not before `until`"),
        ({"against": "pack"}, "give the other pack's text"),
        ({"since": "2026-03-02T10:00:00"}, "timezone"),
        ({"positions": 0}, "greater than or equal to 1"),
        ({"nonsense": 1}, "Extra inputs"),
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, body: dict[str, Any], says: str) -> None:
    assert says in (await api.ask("POST", PATH, 422, **body))["detail"]


async def test_only_engineers_of_all_sites_may(api: Api) -> None:
    await api.ask("POST", PATH, 403, who="operator", against="none")
    await api.ask("GET", PATH, 403, who="engineer@s1")
    await api.ask("GET", f"{PATH}/bt-nothing", 404)


def stopped(run: Any) -> int:
    """Stops the process of a run, so that it is under way for as long as a test wants."""
    os.kill(run._process.pid, signal.SIGSTOP)
    return int(run._process.pid)


async def test_two_run_at_once_and_one_is_cancelled(api: Api, shift: HomeLab) -> None:
    runs = api.room.backtests
    first, second = [await api.ask("POST", PATH, 202, pack=PACK) for _ in range(2)]
    while len(runs._under_way) < 2:
        await api.breathe()
    pids = [stopped(runs._under_way[run["id"]]) for run in (first, second)]
    assert "wait for one, or cancel it" in (await api.ask("POST", PATH, 409, pack=PACK))["detail"]
    cancelled = await api.ask("DELETE", f"{PATH}/{first['id']}")
    assert cancelled["state"] == "cancelled" and cancelled["ended_at"]
    os.kill(pids[0], signal.SIGCONT)
    while first["id"] in runs._tasks:
        await api.breathe()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    os.kill(pids[1], signal.SIGCONT)
    assert (await api.until_over(f"{PATH}/{second['id']}"))["state"] == "done"
    assert (await api.ask("GET", f"{PATH}/{first['id']}"))["state"] == "cancelled"


async def test_the_processes_end_with_the_api(api: Api, shift: HomeLab) -> None:
    runs = api.room.backtests
    run = await api.ask("POST", PATH, 202, pack=PACK)
    while run["id"] not in runs._under_way:
        await api.breathe()
    pid = runs._under_way[run["id"]]._process.pid
    await runs.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert runs.get(run["id"]).state == "cancelled"
