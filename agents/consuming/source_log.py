"""The log that the stages read, asked directly: where to begin, and what stands at an offset."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP

from spanloom.agents.consuming.records import Partition
from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings

_DEADLINE = 60.0  # seconds to read one record that is known to be there


class SourceLog:
    """Asks the broker, not Faust's bookkeeping, which notes offsets as committed even when the commit failed."""

    def __init__(self, app: faust.App, settings: KafkaSettings) -> None:
        self._app = app
        self._settings = settings

    async def positions(self) -> dict[Partition, int]:
        """Return the first offset to be read of each assigned partition: the committed one, else the earliest."""
        consumer: Any = self._app.consumer
        assigned = [tp for tp in consumer.assignment() if tp.topic not in self._app.tables.changelog_topics]
        if not assigned:
            return {}
        committed = await consumer.seek_to_committed()
        earliest = await consumer.earliest_offsets(*assigned)
        ends = await consumer.highwaters(*assigned)
        positions: dict[Partition, int] = {}
        for tp in assigned:
            position = committed.get(tp) or 0
            # The local broker gives an end that is too early, so the log itself has the last word.
            if position > (ends.get(tp) or 0) and not await self.holds(tp, position):
                position = 0  # the commit belongs to a topic of that name that is gone
            positions[tp.topic, tp.partition] = max(position, earliest.get(tp) or 0)
        return positions

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset behind the last record of each partition; the local broker gives a lower one."""
        consumer: Any = self._app.consumer
        found = await consumer.highwaters(*(TP(*partition) for partition in partitions))
        return {(tp.topic, tp.partition): end for tp, end in found.items() if end is not None}

    async def seek(self, partition: Partition, offset: int) -> None:
        """Make Faust's consumer go on at `offset`."""
        consumer: Any = self._app.consumer
        await consumer.seek_wait({TP(*partition): offset})

    async def holds(self, partition: Partition, offset: int) -> bool:
        """Whether the log reaches up to `offset`: whether there is, or was, a record before it."""
        return offset == 0 or await self.next_offset(partition, offset - 1) >= offset - 1

    async def next_offset(self, partition: Partition, offset: int) -> int:
        """Return the offset of the first record at or behind `offset`; there must be one.

        Raises:
            TimeoutError: there is none.
        """
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            target = TopicPartition(*partition)
            consumer.assign([target])
            consumer.seek(target, offset)
            record = await asyncio.wait_for(consumer.getone(), _DEADLINE)
            return int(record.offset)
        finally:
            await consumer.stop()
