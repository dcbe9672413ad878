"""Retries: with growing delays, for ever, only for failures that pass by themselves, and logged once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from spanloom.retry import LONGEST_DELAY, backoff, retry, warn_once


class AwayError(Exception):
    """Passes by itself."""


def sleeping(slept: list[float]) -> Callable[[float], Awaitable[None]]:
    """A clock that notes how long it should have waited."""

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return sleep


def test_delays_grow_up_to_half_a_minute() -> None:
    assert [backoff(attempt, 1) for attempt in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(10**9, 1) == LONGEST_DELAY
    assert backoff(1, 0) == 0.25
    assert [backoff(attempt, 1, 2) for attempt in range(5)] == [0.25, 0.5, 1, 2, 2]


@pytest.mark.parametrize("longest", [LONGEST_DELAY, 2])
def test_it_never_gives_up_and_reports_each_wait(longest: float) -> None:
    slept: list[float] = []
    waits: list[tuple[str, float]] = []

    async def operation() -> str:
        if len(slept) < 1000:
            raise AwayError("away")
        return "done"

    result = asyncio.run(
        retry(
            operation,
            AwayError,
            lambda failure, delay: waits.append((str(failure), delay)),
            longest=longest,
            sleep=sleeping(slept),
            jitter=lambda: 1,
        )
    )
    assert result == "done"
    assert waits == [("away", delay) for delay in slept]
    assert slept[:3] == [0.25, 0.5, 1]
    assert max(slept) == longest


def test_any_of_several_failures_is_waited_for() -> None:
    slept: list[float] = []

    async def operation() -> str:
        if len(slept) < 2:
            raise (AwayError, OSError)[len(slept)]
        return "done"

    assert asyncio.run(retry(operation, (AwayError, OSError), sleep=sleeping(slept))) == "done"
    assert len(slept) == 2


def test_another_error_is_passed_on_at_once() -> None:
    slept: list[float] = []

    async def operation() -> None:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        asyncio.run(retry(operation, AwayError, sleep=sleeping(slept)))
    assert slept == []


def test_waiting_can_be_cancelled() -> None:
    async def operation() -> None:
        raise AwayError("away")

    async def cancel() -> None:
        waits = asyncio.Event()
        forever: Callable[[float], Awaitable[object]] = lambda _: asyncio.Event().wait()  # noqa: E731
        waiting = asyncio.create_task(retry(operation, AwayError, lambda *_: waits.set(), sleep=forever))
        await waits.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancel())


def test_a_failure_is_logged_when_it_is_another_one(caplog: pytest.LogCaptureFixture) -> None:
    on_wait = warn_once(logging.getLogger("spanloom.test"), lambda failure: f"100% {failure}, waiting")
    for why in ("away", "away", "no topic", "no topic", "away"):
        on_wait(AwayError(why), 1)
    assert caplog.messages == ["100% away, waiting", "100% no topic, waiting", "100% away, waiting"]
