"""The states of a stage, one for each of its partitions, and how the changelog brings them back.

Only the checkpoint writes to the changelog. It is read when a partition is assigned, always from its beginning: what
another worker has written since is known in no other way.

Nor may another worker write there from then on. Kafka does not keep it from that: what a worker that is cut off from
Kafka, or stands still, was about to write comes when it is back, behind what its successor has written, and compaction
would leave the older value. So the offsets of what is written are compared with where the changelog ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from spanloom.kafka.producer import Appended

BEGINS_ANEW = b"anew"
"""The key of a record with which the state begins anew: what stands before it in its partition is none of it. It needs
a value, or compaction would take it out, and with it what it says."""


class PartitionState(Protocol):
    """What the changelog is read into."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record; `value` is None for a tombstone."""

    def restored(self) -> None:
        """Complete what the records have brought back: all have been applied."""

    def take_on(self, lost: Any, /) -> Sequence[tuple[bytes, bytes | None]]:
        """Owe what a state owed that is given up for this one, and remember what it had; returns the records with which
        the changelog remembers it, too."""

    def remember(self, lost: Any, /) -> None:
        """Keep of a state that is given up for this one what stays true."""


S = TypeVar("S", bound=PartitionState)


class Changelog(Generic[S]):
    """Keeps one state for each partition that the worker holds.

    Args:
        topic: the changelog's name.
        new_state: makes the state of a partition.
        stays_true: whether a record, by its key, is true whatever becomes of the state: it is never taken out.
    """

    def __init__(
        self, topic: str, new_state: Callable[[], S], stays_true: Callable[[bytes], bool] = lambda _: False
    ) -> None:
        self.topic = topic
        self.stays_true = stays_true
        self._new_state = new_state
        self._states: dict[int, S] = {}
        self._ends: dict[int, int] = {}  # as far as this worker has read or written

    def __getitem__(self, partition: int) -> S:
        """Return the state of a partition that the worker holds."""
        return self._states[partition]

    def states(self) -> Mapping[int, S]:
        """Return the states by partition."""
        return self._states

    def begin(self, partitions: Iterable[int], kept: Mapping[int, S] | None = None) -> list[int]:
        """Forget every state; those of these partitions start anew, unless they were kept.

        Returns:
            The partitions that start anew: their records are to be applied.
        """
        kept = kept or {}
        self._states = {
            partition: kept[partition] if partition in kept else self._new_state() for partition in partitions
        }
        return [partition for partition in self._states if partition not in kept]

    def restore(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Apply a record of a partition that the worker holds; `value` is None for a tombstone."""
        state = self._states[partition]
        if key == BEGINS_ANEW:
            self.give_up(partition)
        else:
            state.restore(key, value)

    def give_up(self, partition: int) -> None:
        """Give up a state that is being read back; a new one begins."""
        lost = self._states[partition]
        self._states[partition] = self._new_state()
        self._states[partition].remember(lost)

    def complete(self, partitions: Iterable[int]) -> None:
        """Complete the states of these partitions: all records have been applied."""
        for partition in partitions:
            self._states[partition].restored()

    def read_up_to(self, partition: int, end: int) -> None:
        """Note the offset behind what was read of a partition."""
        self._ends[partition] = end

    def follow(self, appended: Iterable[Appended]) -> list[int]:
        """Note what this worker has written; returns the partitions to which another one has written since they were
        read, for each time that it has."""
        shared = []
        for partition, offset, records in appended:
            end = self._ends.pop(partition, offset)
            if offset >= 0:
                self._ends[partition] = offset + records
                if offset > end:
                    shared.append(partition)
        return shared

    def begin_anew(self, partition: int) -> Sequence[tuple[bytes, bytes | None]]:
        """Give up a state that the worker holds; a new one begins, which owes what that one owed.

        Returns:
            Records that must be in the changelog before it is emptied.
        """
        lost = self._states.get(partition)
        if lost is None:
            return ()
        self._states[partition] = self._new_state()
        self._states[partition].restored()
        return self._states[partition].take_on(lost)
