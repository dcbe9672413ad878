"""Kafka in memory: topics of records with offsets, committed offsets, and compaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from spanloom.agents.consuming.records import Partition, SourceRecord
from spanloom.kafka.producer import Record

FIRST_OFFSET = 2**16 - 3
"""Where each partition begins: after three records the bits of the offset that versions hold begin again."""


class Stored(NamedTuple):
    """A record in the log; a value of None is a tombstone."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp: int


class MemoryLog:
    """Topics, each with partitions that are made when something is appended."""

    def __init__(self) -> None:
        self.committed: dict[Partition, int] = {}
        """For each partition the offset of the next record to be read."""
        self._records: dict[Partition, list[Stored]] = {}
        self._ends: dict[Partition, int] = {}

    def append(self, topic: str, record: Record, now: int) -> None:
        """Append one record; `now` in ms is its timestamp if it has none."""
        partition = (topic, record.partition)
        offset = self._ends.get(partition, FIRST_OFFSET)
        self._ends[partition] = offset + 1
        timestamp = now if record.timestamp is None else record.timestamp
        self._records.setdefault(partition, []).append(
            Stored(offset, record.key, record.value, dict(record.headers), timestamp)
        )

    def partitions(self, topic: str) -> list[Partition]:
        """Return the partitions of a topic that hold records."""
        return sorted(partition for partition in self._records if partition[0] == topic)

    def all(self, partition: Partition) -> list[Stored]:
        """Return all records of a partition."""
        return self._records.get(partition, [])

    def due(self, partition: Partition, limit: int) -> list[SourceRecord]:
        """Return at most `limit` records that have not been acknowledged, as a stage gets them."""
        start = self.committed.get(partition, 0)
        return [
            SourceRecord(*partition, one.offset, one.timestamp, one.value or b"", one.headers)
            for one in self._records.get(partition, [])
            if one.offset >= start
        ][:limit]

    def lag(self, topics: Iterable[str]) -> int:
        """Return how many records of some topics have not been acknowledged."""
        return sum(
            end - self.committed.get(partition, FIRST_OFFSET)
            for partition, end in self._ends.items()
            if partition[0] in set(topics)
        )

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Acknowledge."""
        self.committed.update(offsets)

    def rewind(self, topic: str) -> None:
        """Have all of a topic read once more."""
        self.commit(dict.fromkeys(self.partitions(topic), FIRST_OFFSET))

    def empty(self, topic: str) -> None:
        """Lose what a topic holds."""
        for partition in self.partitions(topic):
            self._records[partition] = []

    def compact(self, topic: str) -> None:
        """Leave of each key the last record, and no tombstone that is the last one."""
        for partition in self.partitions(topic):
            records = self._records[partition]
            last = {record.key: record.offset for record in records}
            self._records[partition] = [
                record for record in records if last[record.key] == record.offset and record.value is not None
            ]
