"""Waiting while ClickHouse is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from spanloom.warehouse.errors import Unavailable

Result = TypeVar("Result")

FIRST_DELAY = 0.25
"""Seconds before the second attempt; twice as long before each further one."""

LONGEST_DELAY = 30.0
"""Seconds that no delay exceeds, so that work goes on soon after ClickHouse is back."""


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait after failed attempt number `attempt`, from 0.

    Args:
        jitter: from 0 to 1; spreads the delay over its upper half, so that workers come back one by one.
    """
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempt, 16))
    return delay * (0.5 + 0.5 * jitter)


async def retry_while_unavailable(
    operation: Callable[[], Awaitable[Result]],
    on_wait: Callable[[Unavailable, float], None] | None = None,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> Result:
    """Do something with ClickHouse, again and again while it is `Unavailable`; never gives up.

    Cancelling the task ends it at once. Every other error is passed on.

    Args:
        operation: called for each attempt; it must be safe to repeat.
        on_wait: told the failure and the seconds until the next attempt.
        sleep: waits that many seconds.
        jitter: gives a number from 0 to 1.
    """
    attempt = 0
    while True:
        try:
            return await operation()
        except Unavailable as failure:
            delay = backoff(attempt, jitter())
            if on_wait is not None:
                on_wait(failure, delay)
        attempt += 1
        await sleep(delay)
