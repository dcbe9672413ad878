"""How far workers are behind: what lies in the topics that they read from each other, and is not acknowledged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from spanloom.kafka.connection import connection
from spanloom.kafka.ends import bounds
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS, TopicError

_TRIES = 60
"""Half seconds in which Kafka must find out who keeps the group."""


@dataclass(frozen=True, slots=True)
class TopicLag:
    """A topic that workers read: its records, and how many of them are not acknowledged."""

    topic: str
    partitions: int
    records: int
    lag: int


async def lag(settings: KafkaSettings) -> list[TopicLag]:
    """Return how far workers are behind, in the order in which records go through the topics.

    Where all are 0 one after the other, everything that was written before is through: a record is acknowledged when
    all that it led to is in the next topic, and of each topic the end is read after what was acknowledged before it.

    Raises:
        TopicError: a topic is not there.
        KafkaError: Kafka can't be reached.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    consumer = AIOKafkaConsumer(
        **connection(settings), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await admin.start()
    try:
        await consumer.start()
        existing = set(await admin.list_topics())
        found = []
        for topic in (settings.source_topic, SPAN_FACTS, TRACE_FACTS):
            if topic not in existing:
                raise TopicError(f"topic {topic} does not exist: run `spanloom topics` first")
            found.append(await _lag(admin, consumer, settings.group_id, topic))
        return found
    finally:
        await consumer.stop()
        await admin.close()


async def _lag(admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, group: str, topic: str) -> TopicLag:
    (described,) = await admin.describe_topics([topic])
    partitions = [TopicPartition(topic, each["partition"]) for each in described["partitions"]]
    committed = await _committed(admin, group, partitions)
    records = behind = 0
    for partition, (first, end) in (await bounds(consumer, partitions)).items():
        offset = committed[partition].offset if partition in committed else -1
        # As workers begin: what was acknowledged beyond the end was of a topic that is gone.
        behind += end - (offset if first <= offset <= end else first)
        records += end - first
    return TopicLag(topic, len(partitions), records, behind)


async def _committed(
    admin: AIOKafkaAdminClient, group: str, partitions: list[TopicPartition]
) -> dict[TopicPartition, Any]:
    """What the group has acknowledged. The first who asks for a group has Kafka make the topic that groups are in."""
    tries = _TRIES
    while True:
        try:
            found: dict[TopicPartition, Any] = await admin.list_consumer_group_offsets(
                group, partitions=partitions
            )
        except KafkaError as error:
            tries -= 1
            if not (error.retriable and tries):
                raise
            await asyncio.sleep(0.5)
        else:
            return found
