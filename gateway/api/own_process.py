"""Commands of the gateway's own that take long: each in a process of its own, few at once, gentle, and cancellable."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.errors import Conflict, GatehouseError, Invalid, NotFound, Unavailable

#: What an answer may have at most, in bytes: more only comes from a fault.
_MOST_BYTES = 64 << 20
#: Seconds between asking a process to end and ending it.
_GRACE = 5.0
_SAID = 20
_ABSENT = re.compile(r"no ((?:rule|device|alert)[^']*) '(.*?)'(?:: did you mean '(.*)'\?)?")


class Started:
    """One command under way. `share` is how much of it is done, from 0 to 1."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.share = 0.0
        self.cancelled = False
        self._process = process
        self._said: deque[str] = deque(maxlen=_SAID)

    async def result(self, within: float) -> Any:
        """Its JSON. Raises `Invalid` with what it said where it refused, `Unavailable` where it took too long."""
        try:
            async with asyncio.timeout(within):
                body, _ = await asyncio.gather(self._read(), self._listen())
                code = await self._process.wait()
        except TimeoutError:
            raise Unavailable(f"it took longer than {within:.0f} s: choose a shorter span") from None
        finally:
            await self.end()
        if code == 0:
            return msgspec.json.decode(body)
        if self.cancelled:
            raise Conflict("it was cancelled")
        raise _refusal("\n".join(self._said), code)

    def cancel(self) -> None:
        """Asks it to end."""
        self.cancelled = True
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    async def end(self) -> None:
        """Ends it, whatever it does; returns when it is gone."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_GRACE):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _read(self) -> bytes:
        found = bytearray()
        while self._process.stdout is not None and (part := await self._process.stdout.read(1 << 16)):
            found += part
            if len(found) > _MOST_BYTES:
                raise Unavailable("the answer is too large: choose a shorter span")
        return bytes(found)

    async def _listen(self) -> None:
        while self._process.stderr is not None and (line := await self._process.stderr.readline()):
            text = line.decode(errors="replace").rstrip()
            if text.startswith("progress "):
                self.share = float(text.split()[1])
            elif text:
                self._said.append(text)


async def start(command: Sequence[str], *words: str) -> Started:
    """Starts `command` with further words. It ends when this process does: its standard input is held open.

    Raises `Conflict` where there is no command.
    """
    if not command:
        raise Conflict("this API was started without a home to look back on")
    process = await asyncio.create_subprocess_exec(
        *command,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    return Started(process)


def own_command(home: str) -> tuple[str, ...]:
    """The command line of this very installation, on `home`."""
    return (sys.executable, "-m", "gateway.cli", "--home", home)


def _refusal(said: str, code: int) -> GatehouseError:
    """What a command says is `gatehouse rules backtest: why`, on one line or with a list below it."""
    text = said.partition(": ")[2] if said.startswith("gatehouse ") else said
    absent = _ABSENT.fullmatch(text)
    if absent is not None:
        return NotFound(absent[1], absent[2], [absent[3]] if absent[3] else ())
    if text.startswith("at: "):
        return Invalid("at", text.removeprefix("at: "))
    if code == 1 and "cannot be made a test" in text:
        return Conflict(text)
    if code in (1, 2) and text:
        return Invalid("rules", text) if code == 2 else Unavailable(text)
    return Unavailable(f"it ended with code {code}: {said[-300:]}")
