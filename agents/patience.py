"""Waiting for ClickHouse: what the stages ask of it is asked again until it answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from spanloom.agents import metrics
from spanloom.warehouse.errors import Unavailable
from spanloom.warehouse.waiting import retry_while_unavailable

logger = logging.getLogger("spanloom.worker")

T = TypeVar("T")


class Patience:
    """Waits while ClickHouse is away, and knows whether it is.

    While a stage waits it takes no batch, so the worker stops reading by itself.
    """

    def __init__(self) -> None:
        self._waiting = 0

    @property
    def available(self) -> bool:
        """Whether nobody waits for ClickHouse."""
        return not self._waiting

    async def __call__(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Do something with ClickHouse, as often as it takes.

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
            result = await retry_while_unavailable(operation, wait)
        finally:
            if waits:
                self._changed(-1)
        if waits:
            logger.warning("ClickHouse answers again")
        return result

    def _changed(self, by: int) -> None:
        self._waiting += by
        metrics.WAITING.set(bool(self._waiting))
