"""Where topics end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

_DEADLINE = 30.0
"""Seconds to read the last records."""


async def bounds(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    """Return the first offset of each partition, and that behind its last record. It assigns the consumer anew.

    The local broker says that a partition ends behind the first record of its last batch, so that is read: a fetch
    brings whole batches.
    """
    first = await consumer.beginning_offsets(partitions)
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    filled = [each for each in partitions if ends[each] > first[each]]
    if filled:
        consumer.assign(filled)
        for each in filled:
            consumer.seek(each, ends[each] - 1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DEADLINE):
                while unread := [each for each in filled if await consumer.position(each) < ends[each]]:
                    await consumer.getmany(*unread, timeout_ms=500)
        for each in filled:
            ends[each] = max(ends[each], await consumer.position(each))
    return {each: (first[each], ends[each]) for each in partitions}
