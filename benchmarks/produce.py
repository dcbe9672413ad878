"""Records into a topic, fast, and each acknowledged before it counts as sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from benchmarks.load.work import Compression

PARTITIONS = 8
"""Of every topic; spanloom's default."""

_LARGEST = 10 * 2**20  # bytes of a request
_UNACKNOWLEDGED = 32_000_000  # the most bytes on their way


def producer(bootstrap_servers: str, compression: Compression = "none") -> AIOKafkaProducer:
    """A producer for large messages, to be started."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        acks="all",
        max_request_size=_LARGEST,
        max_batch_size=1 << 20,
        compression_type=None if compression == "none" else compression,
    )


async def produce(
    bootstrap_servers: str,
    topic: str,
    values: Iterable[bytes],
    headers: Sequence[tuple[str, bytes]] = (),
    ahead: int = 0,
    compression: Compression = "none",
    partitions: int = PARTITIONS,
) -> int:
    """Append all values, to the partitions in turn; returns their number once all are acknowledged.

    Args:
        ahead: their timestamps are so many milliseconds from now.
        partitions: of the topic.
    """
    sender = producer(bootstrap_servers, compression)
    await sender.start()
    try:
        waiting: list[asyncio.Future[Any]] = []
        count = size = 0
        for value in values:
            waiting.append(
                await sender.send(
                    topic,
                    value,
                    partition=count % partitions,
                    headers=list(headers),
                    timestamp_ms=time.time_ns() // 1_000_000 + ahead,
                )
            )
            count += 1
            size += len(value)
            if size > _UNACKNOWLEDGED:
                await asyncio.gather(*waiting)
                waiting, size = [], 0
        await asyncio.gather(*waiting)
    finally:
        await sender.stop()
    return count
