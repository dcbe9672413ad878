"""The states of a stage, one for each of its partitions, and how the changelog brings them back.

Only the checkpoint writes to the changelog. It is read when a partition is assigned, always from its beginning: what
another worker has written since is known in no other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

BEGINS_ANEW = b"anew"
"""The key of a record with which the state begins anew: what stands before it in its partition is none of it. It needs
a value, or compaction would take it out, and with it what it says."""


class PartitionState(Protocol):
    """What the changelog is read into."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record; `value` is None for a tombstone."""

    def restored(self) -> None:
        """Complete what the records have brought back: all have been applied."""


S = TypeVar("S", bound=PartitionState)


class Changelog(Generic[S]):
    """Keeps one state for each partition that the worker holds.

    Args:
        topic: the changelog's name.
        new_state: makes the state of a partition.
    """

    def __init__(self, topic: str, new_state: Callable[[], S]) -> None:
        self.topic = topic
        self._new_state = new_state
        self._states: dict[int, S] = {}

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
        if key == BEGINS_ANEW:
            self._states[partition] = self._new_state()
        else:
            self._states[partition].restore(key, value)

    def complete(self, partitions: Iterable[int]) -> None:
        """Complete the states of these partitions: all records have been applied."""
        for partition in partitions:
            self._states[partition].restored()
