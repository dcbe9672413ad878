"""Batches run while the worker holds its partitions, and are drained before it gives them back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Batches:
    """The batches of all stages.

    `drain` is called when partitions are revoked and when the worker stops: running batches have until a
    deadline to end with their checkpoint; those that have not are cancelled, and since they have acknowledged
    nothing their records are redelivered, here or elsewhere.
    """

    def __init__(self) -> None:
        self._accepted = False
        self._whole = True
        self._running: set[asyncio.Task[None]] = set()

    @property
    def whole(self) -> bool:
        """Whether every batch since `accept` that has ended has ended with its checkpoint."""
        return self._whole

    @property
    def accepted(self) -> bool:
        """Whether batches may run."""
        return self._accepted

    def accept(self) -> None:
        """Let batches run."""
        self._accepted = True
        self._whole = True

    async def drain(self, deadline: float) -> bool:
        """Start no more batches and end the running ones.

        Args:
            deadline: seconds the running batches have.

        Returns:
            Whether all of them ended by themselves.
        """
        self._accepted = False
        if not self._running:
            return True
        _, late = await asyncio.wait(self._running, timeout=deadline)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return not late

    async def run(self, batch: Coroutine[Any, Any, None]) -> None:
        """Run one batch, unless none is accepted: then it is dropped unacknowledged.

        Raises:
            Exception: whatever the batch raised.
        """
        if not self._accepted:
            batch.close()
            return
        task = asyncio.create_task(batch)
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise  # the agent itself was cancelled; drain() sees to the batch

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled() or task.exception() is not None:
            self._whole = False
