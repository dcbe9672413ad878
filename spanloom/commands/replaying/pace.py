"""The pace of a replay: it leaves room for spans that come in meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

_LOOK = 1.0
"""Seconds between two looks at how far the workers are behind."""


class Pace:
    """Holds spans back to a rate, and for as long as the workers are behind.

    Args:
        rate: spans a second at most, on average.
        most_waiting: while the workers have more messages than this to read, nothing is sent.
        waiting: returns how many messages they have to read.
        on_wait: called with that number whenever nothing is sent because of it.
        clock: seconds.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        rate: float,
        most_waiting: int,
        waiting: Callable[[], Awaitable[int]],
        *,
        on_wait: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._most_waiting = most_waiting
        self._waiting = waiting
        self._on_wait = on_wait
        self._clock = clock
        self._sleep = sleep
        self._due = self._next_look = clock()

    async def before(self, spans: int) -> None:
        """Wait until so many spans may be sent."""
        if (wait := self._due - self._clock()) > 0:
            await self._sleep(wait)
        self._due = max(self._due, self._clock()) + spans / self._rate
        if self._clock() < self._next_look:
            return
        while (waiting := await self._waiting()) > self._most_waiting:
            self._on_wait(waiting)
            await self._sleep(_LOOK)
        self._next_look = self._clock() + _LOOK
