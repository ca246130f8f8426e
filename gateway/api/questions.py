"""Questions about the past whose answers somebody waits for: each by a process of its own, a few at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from gateway.api.own_process import start
from gateway.errors import Unavailable

#: How many are answered at once, how long one may wait for its turn, and how long for its answer, in seconds.
MOST_AT_ONCE, TURN, ANSWER = 2, 30.0, 90.0
#: Answers about what is over that are remembered.
REMEMBERED = 200


class Questions:
    """Asks the gateway's own command line. Owned by the API's loop."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._known: OrderedDict[str, Any] = OrderedDict()

    async def ask(self, command: Sequence[str], *words: str, remember: str = "") -> Any:
        """The JSON that a command answers; under `remember` it is kept, for it will not change.

        Raises the command's own refusal, or `Unavailable` where nobody has time.
        """
        if remember in self._known:
            self._known.move_to_end(remember)
            return self._known[remember]
        try:
            async with asyncio.timeout(TURN):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("too many look back at once: try again in a minute") from None
        try:
            started = await start(self._command, *command, "--owned", "--json", *words)
            answer = await started.result(ANSWER)
        finally:
            self._turns.release()
        if remember:
            self._known[remember] = answer
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return answer
