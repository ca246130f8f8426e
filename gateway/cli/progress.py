"""How far a long command has come, on standard error, and how it ends on Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: How often a terminal, or a program that follows, is told.
EVERY = 0.25


@contextmanager
def cancellable(name: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end what is inside, which only reads, with one line and exit code 130."""

    def cancel(number: int, frame: FrameType | None) -> None:
        # At once, and past the buffers: an exception raised here can be swallowed, and a buffer be in use.
        os.write(2, f"\n{name}: cancelled, nothing was written\n".encode())
        os._exit(130)

    before = {number: signal.signal(number, cancel) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """Ends this process, as a SIGTERM would, when whoever started it closes our standard input or ends."""

    def watch() -> None:
        # Not through sys.stdin, whose lock would be held when the interpreter ends.
        while os.read(0, 4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def progress_line(*, machine: bool = False) -> Callable[[float], None]:
    """A function that is told the share done, from 0 to 1, and shows it now and then.

    For a `machine`: one line `progress 0.42` each time.
    """
    state = {"next": 0.0}
    terminal = sys.stderr.isatty()

    def told(share: float) -> None:
        now = time.monotonic()
        if now < state["next"]:
            return
        state["next"] = now + (EVERY if machine or terminal else EVERY * 20)
        if machine:
            print(f"progress {share:.4f}", file=sys.stderr, flush=True)
        elif terminal:
            print(f"\r{share:6.1%}", end="", file=sys.stderr, flush=True)
        else:
            print(f"{share:.0%}", file=sys.stderr, flush=True)

    return told
