"""What was read and no stage has taken yet, and how a stage takes it: by bytes and time.

Faust bounds both by numbers of messages: few large ones fill the memory, and many small ones make small batches, each
with a checkpoint of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from mode.utils.queues import ThrowableQueue

MESSAGE_BYTES: Final = 1024
"""What a message takes besides its value, roughly: so many weigh the same as one large one."""


class Buffer(ThrowableQueue[Any]):
    """Faust's queue in front of an agent, whose size is the bytes of what it holds: `maxsize`, too, is in bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._bytes = 0
        self._enough = 0
        self._holds_enough = asyncio.Event()
        super().__init__(*args, **kwargs)

    def qsize(self) -> int:
        """Return the bytes that it holds."""
        return self._bytes

    def clear(self) -> None:
        """Drop all that it holds."""
        super().clear()
        self._bytes = 0

    async def holds(self, size: int, within: float) -> None:
        """Return when it holds that many bytes, at the latest after so many seconds."""
        if self._bytes >= size:
            return
        self._enough = size
        self._holds_enough.clear()
        try:
            async with asyncio.timeout(within):
                await self._holds_enough.wait()
        except TimeoutError:
            pass

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._bytes += weight(item)
        if self._bytes >= self._enough:
            self._holds_enough.set()

    def _get(self) -> Any:
        item = super()._get()
        self._bytes -= weight(item)
        return item


def weight(event: Any) -> int:
    """Return the bytes that one of Faust's events holds in memory, roughly."""
    return len(event.message.value or b"") + MESSAGE_BYTES


async def batches(channel: Any, size: int, linger: float) -> AsyncIterator[list[Any]]:
    """Take batches of events from an agent's channel until its stream is stopped.

    A batch waits for more, `linger` seconds from its first event on, unless it has got `size` bytes before; the event
    that brings it there is its last one.
    """
    events = aiter(channel)
    buffer: Buffer = events.queue
    async for first in events:
        batch = [first]
        left = size - weight(first)
        await buffer.holds(left, linger)
        while left > 0 and not buffer.empty():
            try:
                event = buffer.get_nowait()
            except StopAsyncIteration:
                return  # the batch is dropped unacknowledged
            left -= weight(event)
            batch.append(event)
        yield batch
