"""Turns on the event loop: a long computation hands over between its steps.

A batch of thousands of traces takes one or two seconds to fold or to forget. Probes are answered and heartbeats sent on
the same loop, and so is the work of the other stages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LONGEST = 0.05
"""Seconds of a turn, after which the next step waits for the others."""


class Turn:
    """A turn, which begins when this is made.

    Args:
        clock: seconds, only ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()

    async def hand_over_if_long(self) -> None:
        """Let everything else that is due run once, if the turn has been long; then another one begins.

        Nothing of the state may be half-way: partitions may be revoked meanwhile, as while ClickHouse is asked.
        """
        if self._clock() - self._since >= LONGEST:
            await asyncio.sleep(0)
            self._since = self._clock()
