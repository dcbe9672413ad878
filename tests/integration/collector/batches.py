"""The batches of a topic as the broker keeps them: what is compressed stays so until somebody reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka import AIOKafkaClient, TopicPartition
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
"""Kafka's compressions, in the order of their numbers in a batch."""

_SIZE = 1 << 25
"""The most bytes of one answer."""


class Batch(NamedTuple):
    """Some records that were sent together."""

    partition: int
    offset: int
    codec: str
    values: list[bytes]
    headers: list[dict[str, bytes]]


def batches(bootstrap: str, topic: str) -> list[Batch]:
    """Return all batches of a topic."""
    return asyncio.run(_batches(bootstrap, topic))


async def _batches(bootstrap: str, topic: str) -> list[Batch]:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    async with asyncio.timeout(60):
        try:
            await client.bootstrap()
            await client.set_topics([topic])
            found: list[Batch] = []
            for partition in client.cluster.partitions_for_topic(topic) or ():
                offset = 0
                while some := await _fetch(client, topic, partition, offset):
                    found += some
                    offset = some[-1].offset + len(some[-1].values)
            return found
        finally:
            await client.close()


async def _fetch(client: Any, topic: str, partition: int, offset: int) -> list[Batch]:
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    request = FetchRequest(100, 0, _SIZE, 0, [(topic, [(partition, offset, _SIZE)])])
    answer = await client.send(leader, request)
    return list(_read(partition, answer.topics[0][1][0][-1] or b""))


def _read(partition: int, held: bytes) -> Iterator[Batch]:
    records: Any = MemoryRecords(held)
    while (batch := records.next_batch()) is not None:
        # Before it is read: reading unpacks it in its place.
        codec = CODECS[batch.compression_type]
        read = list(batch)
        headers = [dict(record.headers) for record in read]
        yield Batch(partition, batch.base_offset, codec, [record.value for record in read], headers)
