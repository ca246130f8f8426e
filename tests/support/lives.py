"""Processes that are forked one after another and may kill themselves at any point, as `kill -9` would.

They come from a process of a single thread that is forked before the test starts its servers: a process that has
threads must not be forked again.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

#: One life: its orders, and how it tells something. It is over when the function returns.
Live = Callable[[dict[str, Any], Callable[[Any], None]], None]


def die() -> NoReturn:
    """`kill -9` of this very process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


class Lives:
    """Where lives come from. `live` yields what one tells; its exit code (-9 for a killed one) is in `code` then."""

    def __init__(self, live: Live) -> None:
        orders_read, orders_write = os.pipe()
        told_read, told_write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:  # pragma: no cover
            os.close(orders_write)
            os.close(told_read)
            _serve(live, orders_read, told_write)
        os.close(orders_read)
        os.close(told_write)
        self._orders = os.fdopen(orders_write, "w", buffering=1, encoding="utf-8")
        self._told = os.fdopen(told_read, encoding="utf-8")
        self.code = 0

    def live(self, orders: dict[str, Any]) -> Iterator[Any]:
        """Begins a life and follows it to its end."""
        self._orders.write(json.dumps(orders) + "\n")
        for line in self._told:
            told = json.loads(line)
            if isinstance(told, dict) and "exit code" in told:
                self.code = told["exit code"]
                return
            yield told
        raise AssertionError("the process that forks the lives has ended")

    def close(self) -> None:
        """Ends the process that forks."""
        self._orders.close()
        self._told.close()
        os.waitpid(self._pid, 0)


@contextmanager
def lives(live: Live) -> Iterator[Lives]:
    """To be entered before anything that starts a thread."""
    made = Lives(live)
    try:
        yield made
    finally:
        made.close()


def _serve(live: Live, orders: int, told: int) -> NoReturn:  # pragma: no cover - in a process of its own
    def tell(what: Any) -> None:
        os.write(told, json.dumps(what).encode() + b"\n")

    with suppress(BaseException), os.fdopen(orders, encoding="utf-8") as lines:
        for line in lines:
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    live(json.loads(line), tell)
                    code = 0
                except BaseException as error:
                    tell({"error": f"{type(error).__name__}: {error}"})
                    raise
                finally:
                    os._exit(code)
            tell({"exit code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})
    os._exit(0)
