"""The backtests that people started: a few at once, the last few remembered."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from gateway.api.own_process import Started, start
from gateway.errors import Conflict, GatehouseError, NotFound

#: How many run at once, and how many are remembered with their reports.
MOST_AT_ONCE, REMEMBERED = 2, 8
#: Seconds after which one is ended.
LONGEST = 3600.0

State = Literal["running", "done", "failed", "cancelled"]


class Run(msgspec.Struct, kw_only=True):
    """One backtest. Times are wall times; `error` is a code and what to do."""

    id: str
    by: str
    asked: dict[str, Any]
    started_at: float
    ended_at: float | None = None
    state: State = "running"
    error: tuple[str, str] | None = None
    report: dict[str, Any] | None = None


class Runs:
    """All of them. Owned by the API's loop; `clock` is the wall clock."""

    def __init__(self, command: Sequence[str], clock: Callable[[], float]) -> None:
        self._command = command
        self._clock = clock
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._under_way: dict[str, Started] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def all(self) -> list[Run]:
        """The newest first."""
        return list(reversed(self._runs.values()))

    def get(self, ident: str) -> Run:
        """One of them. Raises `NotFound`."""
        run = self._runs.get(ident)
        if run is None:
            raise NotFound("backtest", ident)
        return run

    def share(self, run: Run) -> float:
        """How much of it is done."""
        under_way = self._under_way.get(run.id)
        return 1.0 if run.state == "done" else under_way.share if under_way is not None else 0.0

    async def start(self, by: str, asked: dict[str, Any], words: Sequence[str], packs: dict[str, str]) -> Run:
        """Starts one. `packs` are texts by file name; in `words` `{folder}` stands for where they will lie.

        Raises `Conflict` where too many run.
        """
        if len(self._tasks) >= MOST_AT_ONCE:
            raise Conflict(f"{MOST_AT_ONCE} backtests run already: wait for one, or cancel it")
        run = Run(id=f"bt-{secrets.token_hex(6)}", by=by, asked=asked, started_at=self._clock())
        self._runs[run.id] = run
        while len(self._runs) > REMEMBERED:
            oldest = next((one for one in self._runs.values() if one.state != "running"), None)
            if oldest is None:
                break
            del self._runs[oldest.id]
        task = asyncio.create_task(self._run(run, words, packs), name=f"backtest {run.id}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))
        return run

    def cancel(self, ident: str) -> Run:
        """Ends one that runs; one that is over is as it was."""
        run = self.get(ident)
        if run.state == "running":
            run.state, run.ended_at = "cancelled", self._clock()
            if ident in self._under_way:
                self._under_way[ident].cancel()
            elif ident in self._tasks:
                self._tasks[ident].cancel()
        return run

    async def close(self) -> None:
        """Ends all."""
        for ident in list(self._tasks):
            self.cancel(ident)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, run: Run, words: Sequence[str], packs: dict[str, str]) -> None:
        folder = Path(tempfile.mkdtemp(prefix="gatehouse-backtest-"))
        try:
            for name, text in packs.items():
                (folder / name).write_text(text, "utf-8")
            started = await start(self._command, *(word.replace("{folder}", str(folder)) for word in words))
            self._under_way[run.id] = started
            if run.state == "cancelled":
                started.cancel()
            report = await started.result(LONGEST)
            if run.state == "running":
                run.report, run.state = report, "done"
        except GatehouseError as error:
            if run.state == "running":
                run.state, run.error = "failed", (error.code, error.message.replace(f"{folder}/", ""))
        except Exception as error:
            run.state, run.error = "failed", ("internal", f"it could not be run: {type(error).__name__}: {error}")
        finally:
            run.ended_at = run.ended_at or self._clock()
            self._under_way.pop(run.id, None)
            shutil.rmtree(folder, ignore_errors=True)
