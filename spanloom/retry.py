"""Retries while a dependency is unavailable: ClickHouse, Kafka."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")
Failure = TypeVar("Failure", bound=Exception)

FIRST_DELAY = 0.25
"""Seconds before the second attempt; twice as long before each further one."""

LONGEST_DELAY = 30.0
"""The longest delay in seconds, so that work goes on soon after the dependency is back."""


def backoff(attempt: int, jitter: float, longest: float = LONGEST_DELAY) -> float:
    """Seconds to wait after failed attempt number `attempt`, from 0.

    Args:
        jitter: from 0 to 1; spreads the delay over its upper half, so that processes come back one by one.
        longest: seconds at most.
    """
    delay = min(longest, FIRST_DELAY * 2.0 ** min(attempt, 16))
    return delay * (0.5 + 0.5 * jitter)


async def retry(
    operation: Callable[[], Awaitable[Result]],
    failures: type[Failure] | tuple[type[Failure], ...],
    on_wait: Callable[[Failure, float], None] | None = None,
    *,
    longest: float = LONGEST_DELAY,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> Result:
    """Repeat an operation while it fails in a way that passes by itself; never gives up.

    Cancelling the task ends it at once. Every other error is passed on.

    Args:
        operation: called for each attempt; it must be safe to repeat.
        failures: the exceptions that pass by themselves.
        on_wait: gets each failure and the seconds until the next attempt.
        longest: seconds between two attempts at most.
        sleep: waits for a number of seconds.
        jitter: gives a number from 0 to 1.
    """
    attempt = 0
    while True:
        try:
            return await operation()
        except failures as failure:
            delay = backoff(attempt, jitter(), longest)
            if on_wait is not None:
                on_wait(failure, delay)
        attempt += 1
        await sleep(delay)


def warn_once(logger: logging.Logger, sentence: Callable[[Failure], str]) -> Callable[[Failure, float], None]:
    """Return an `on_wait` that logs a sentence at the first failure, and then whenever it is another sentence."""
    last = ""

    def on_wait(failure: Failure, _: float) -> None:
        nonlocal last
        if (text := sentence(failure)) != last:
            last = text
            logger.warning(text)

    return on_wait
