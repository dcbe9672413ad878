"""No record is stepped over: what arrives is compared with what must come next.

Faust may deliver records before it has sought to the committed offsets, deliver them twice, or leave some out
around a rebalance. A checkpoint commits the last offset of a batch, so one that was left out would be lost for
good. Records that came already are dropped; a gap is only believed if the log itself has it (deleted or compacted
records, marks of transactions).
"""

from __future__ import annotations

from collections.abc import Mapping

from spanloom.agents.consuming.records import Partition, SourceRecord


class Continuity:
    """Knows the next offset of every partition that the worker holds."""

    def __init__(self) -> None:
        self._next: dict[Partition, int] = {}

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Begin anew, with the first offset to be read of each partition."""
        self._next = dict(positions)

    def stop(self) -> None:
        """Hold no partition."""
        self._next = {}

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of every partition."""
        return dict(self._next)

    def advance(self, partition: Partition, offset: int) -> None:
        """Say which offset comes next."""
        if partition in self._next:
            self._next[partition] = offset

    def expected(self, partition: Partition) -> int | None:
        """Return the offset that comes next, None for a partition that the worker does not hold."""
        return self._next.get(partition)

    def check(
        self, records: list[SourceRecord]
    ) -> tuple[list[SourceRecord], dict[Partition, int], set[Partition]]:
        """Sort out what continues the log.

        Returns:
            The records that do, in order; for each partition with a gap the first offset behind it; and the
            partitions that brought records which had come already.
        """
        following = dict(self._next)
        good: list[SourceRecord] = []
        gaps: dict[Partition, int] = {}
        repeated: set[Partition] = set()
        for record in records:
            partition = (record.topic, record.partition)
            expected = following.get(partition)
            if expected is None or partition in gaps:
                continue
            if record.offset < expected:
                repeated.add(partition)
                continue
            if record.offset > expected:
                gaps[partition] = record.offset
                continue
            good.append(record)
            following[partition] = record.offset + 1
        return good, gaps, repeated
