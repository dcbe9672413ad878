"""Retries every call to ClickHouse until it answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from spanloom.agents import metrics
from spanloom.retry import retry
from spanloom.warehouse.errors import Unavailable

logger = logging.getLogger("spanloom.worker")

T = TypeVar("T")


class Retry:
    """Retries while ClickHouse is out of reach, and knows whether anything waits for it.

    While a stage waits it takes no batch, so the worker stops reading by itself.
    """

    def __init__(self) -> None:
        self._waiting = 0

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits for ClickHouse."""
        return bool(self._waiting)

    async def __call__(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Call ClickHouse, as often as it takes.

        Raises:
            warehouse.errors.WarehouseError: it refused, and would refuse again.
        """
        waits = False

        def wait(failure: Unavailable, seconds: float) -> None:
            nonlocal waits
            if not waits:
                waits = True
                self._changed(1)
                logger.warning("%s; waiting for it, nothing is lost", failure)
            logger.info("next attempt in %.1f s", seconds)

        try:
            result = await retry(operation, Unavailable, wait)
        finally:
            if waits:
                self._changed(-1)
        if waits:
            logger.warning("ClickHouse answers again")
        return result

    def _changed(self, by: int) -> None:
        self._waiting += by
        metrics.WAITING.set(self.is_waiting)
