"""A Faust table that is nothing but a changelog: Faust reads it back, the state itself is ours.

Faust decides when a partition is recovered and hands over the records; they go to one state object for each
partition, which is dropped when the partition is revoked. Written to is the changelog by the checkpoint only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import faust
from faust.types import TP, EventT


class PartitionState(Protocol):
    """What the changelog is read into."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record; `value` is None for a tombstone."""

    def restored(self) -> None:
        """Complete what the records have brought back: all have been applied."""


S = TypeVar("S", bound=PartitionState)


class ChangelogTable(faust.Table, Generic[S]):  # type: ignore[type-arg]
    """Keeps one state for each partition.

    Args:
        topic: the changelog's name.
        new_state: makes the state of a partition.
        fail: ends the process; called with whatever reading the changelog raised.
    """

    def __init__(
        self,
        app: faust.App,
        *,
        topic: str,
        new_state: Callable[[], S],
        fail: Callable[[BaseException], None],
        **kwargs: Any,
    ) -> None:
        self._fail = fail
        self.topic = topic
        self.new_state = new_state
        self._states: dict[int, S] = {}
        super().__init__(app, **kwargs)

    def __getitem__(self, partition: int) -> S:
        """Return the state of a partition, a new one if it has none yet."""
        state = self._states.get(partition)
        if state is None:
            state = self._states[partition] = self.new_state()
        return state

    def states(self) -> dict[int, S]:
        """Return the states by partition."""
        return self._states

    def drop(self) -> None:
        """Forget every partition, and make Faust read the changelog again from its beginning.

        Faust remembers how far it has read a changelog for as long as the partition stays with the worker; but
        a batch may have been dropped half-way, so what is in memory is not what the changelog says.
        """
        self._states.clear()
        recovery = self.app.tables.recovery  # type: ignore[attr-defined]
        for tp in [tp for tp in recovery.active_offsets if tp.topic == self.topic]:
            recovery.revoke(tp)

    async def on_rebalance(self, *_: object, **__: object) -> None:
        """Start from nothing with every assignment."""
        self.drop()

    async def on_recovery_completed(self, *_: object) -> None:
        """Tell every state that it is complete."""
        for state in self._states.values():
            state.restored()
        await self.call_recover_callbacks()

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Hand records of the changelog to the states of their partitions."""
        try:
            for event in batch:
                message = event.message
                if message.topic == self.topic and message.generation_id == self.app.consumer_generation_id:
                    self[message.partition].restore(message.key or b"", message.value)
        except Exception as error:
            # Faust would log it and try the same again for ever.
            self._fail(error)

    def persisted_offset(self, _: TP) -> int | None:
        """Nothing outlives the process but the changelog itself."""
        return None

    def _changelog_topic_name(self) -> str:
        return self.topic
