"""Retries every call to a dependency until it answers, and knows whether anything waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from spanloom.agents import metrics
from spanloom.kafka.outages import OUTAGES
from spanloom.retry import LONGEST_DELAY, retry
from spanloom.warehouse.errors import Unavailable

logger = logging.getLogger("spanloom.worker")

T = TypeVar("T")

KAFKA_LONGEST_DELAY = 1.0
"""Seconds between two questions to Kafka at most: nothing is delivered while one waits."""

PATIENCE = 10.0
"""Seconds without an answer from ClickHouse after which the log says so: it has many more before that is a failure."""


class Retry:
    """Retries while a dependency is out of reach.

    While a stage waits it takes no batch, so the worker stops reading by itself.

    Args:
        name: of the dependency.
        outages: the exceptions that pass by themselves.
        longest: seconds between two attempts at most.
        changed: called with whether anything waits, whenever that may have changed.
        patience: seconds that an attempt may take before the log says so; None where some take long.
    """

    def __init__(
        self,
        name: str,
        outages: tuple[type[Exception], ...],
        longest: float = LONGEST_DELAY,
        changed: Callable[[bool], object] = lambda _: None,
        patience: float | None = None,
    ) -> None:
        self._name = name
        self._outages = outages
        self._longest = longest
        self._notify = changed
        self._patience = patience
        self._waiting = 0
        self.failures = 0
        """How often the dependency was out of reach, ever."""

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits for the dependency."""
        return bool(self._waiting)

    async def __call__(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Call the dependency, as often as it takes.

        Raises:
            Exception: whatever is no outage: it refused, and would refuse again.
        """
        waits = False

        def wait(failure: Exception, seconds: float) -> None:
            nonlocal waits
            self.failures += 1
            if not waits:
                waits = True
                self._changed(1)
                logger.warning("%s; waiting for it, nothing is lost", self._sentence(failure))
            if seconds >= 1:
                logger.info("next attempt in %.1f s", seconds)

        try:
            result = await retry(lambda: self._attempt(operation), self._outages, wait, longest=self._longest)
        finally:
            if waits:
                self._changed(-1)
        if waits:
            logger.warning("%s answers again", self._name)
        return result

    async def _attempt(self, operation: Callable[[], Awaitable[T]]) -> T:
        if self._patience is None:
            return await operation()
        text = "%s has not answered for %.0f s; waiting for it, nothing is lost"
        saying = asyncio.get_running_loop().call_later(
            self._patience, logger.warning, text, self._name, self._patience
        )
        try:
            return await operation()
        finally:
            saying.cancel()

    def _sentence(self, failure: Exception) -> str:
        """What `Unavailable` says is a sentence; of other failures the kind is enough."""
        if isinstance(failure, Unavailable):
            return str(failure)
        return f"{self._name} is not ready ({type(failure).__name__})"

    def _changed(self, by: int) -> None:
        self._waiting += by
        self._notify(self.is_waiting)


def clickhouse_retry() -> Retry:
    """Return what retries calls to ClickHouse, and says in a metric whether anything waits."""
    return Retry("ClickHouse", (Unavailable,), changed=metrics.WAITING.set, patience=PATIENCE)


def kafka_retry() -> Retry:
    """Return what retries questions to Kafka."""
    return Retry("Kafka", OUTAGES, KAFKA_LONGEST_DELAY)
