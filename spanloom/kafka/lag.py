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


class GroupLag:
    """Asks Kafka how far workers are behind.

    Where all topics are at 0 one after the other, everything that was written before is through: a record is
    acknowledged when all that it led to is in the next topic, and of each topic the end is read after what was
    acknowledged before it.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = AIOKafkaAdminClient(**connection(settings))
        # It belongs to no group, and commits nothing.
        self._consumer = AIOKafkaConsumer(
            **connection(settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._partitions: dict[str, list[TopicPartition]] = {}

    async def start(self) -> None:
        """Connect, and find out which partitions there are.

        Raises:
            TopicError: a topic is not there.
            KafkaError: Kafka can't be reached.
        """
        await self._admin.start()
        await self._consumer.start()
        existing = set(await self._admin.list_topics())
        for topic in (self._settings.source_topic, SPAN_FACTS, TRACE_FACTS):
            if topic not in existing:
                raise TopicError(f"topic {topic} does not exist: run `spanloom topics` first")
            (described,) = await self._admin.describe_topics([topic])
            numbers = (each["partition"] for each in described["partitions"])
            self._partitions[topic] = [TopicPartition(topic, number) for number in numbers]

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
        await self._admin.close()

    @property
    def source_partitions(self) -> int:
        """How many partitions the source topic has."""
        return len(self._partitions[self._settings.source_topic])

    async def topics(self) -> list[TopicLag]:
        """Return how far workers are behind, in the order in which records go through the topics.

        Raises:
            KafkaError: Kafka can't be reached, or forbids it.
        """
        return [await self._lag(topic, partitions) for topic, partitions in self._partitions.items()]

    async def messages(self) -> int:
        """Return the messages that workers have still to acknowledge, of all topics together; raises as `topics`."""
        return sum(each.lag for each in await self.topics())

    async def _lag(self, topic: str, partitions: list[TopicPartition]) -> TopicLag:
        committed = await _committed(self._admin, self._settings.group_id, partitions)
        records = behind = 0
        for partition, (first, end) in (await bounds(self._consumer, partitions)).items():
            offset = committed[partition].offset if partition in committed else -1
            # As workers begin: what was acknowledged beyond the end was of a topic that is gone.
            behind += end - (offset if first <= offset <= end else first)
            records += end - first
        return TopicLag(topic, len(partitions), records, behind)


async def lag(settings: KafkaSettings) -> list[TopicLag]:
    """Return how far workers are behind, see `GroupLag`.

    Raises:
        TopicError: a topic is not there.
        KafkaError: Kafka can't be reached.
    """
    group = GroupLag(settings)
    try:
        await group.start()
        return await group.topics()
    finally:
        await group.stop()


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
