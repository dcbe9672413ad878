"""A keyed stage: records go to the state of their partition, and what changes there becomes rows and messages.

`traces` and `sessions` are the two of them. What they share stands here: a batch that can't be read goes to the dead
letters; keys that are not in memory but may have been before are looked up in ClickHouse, all of a batch together;
and every change of the state is written.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import pyarrow as pa
from google.protobuf.message import DecodeError

from spanloom.agents import metrics
from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.dead_letters import dead_letter
from spanloom.agents.stages.turns import Turn
from spanloom.agents.state.entry import Changes, ProjectKey
from spanloom.agents.state.keyed import KeyedState
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.stored import Database
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import DEAD_LETTERS

logger = logging.getLogger("spanloom.worker")

Key = TypeVar("Key", bound=ProjectKey)
Value = TypeVar("Value")
Changed = TypeVar("Changed", bound=Changes)


class HasKey(Protocol):
    """What ClickHouse has stored under a key."""

    @property
    def key(self) -> Any:
        """The key of the trace or session window."""


Stored = TypeVar("Stored", bound=HasKey)


class Origin(Protocol):
    """What ClickHouse has besides single keys."""

    async def database(self, table: str) -> Database:
        """Return which database this is, and what is known of a table."""

    async def newest(self, keys: Sequence[Any]) -> Mapping[Any, int]:
        """Return the highest version of the row of each trace, or each session window, that has one."""

    async def latest_ends(self, since: int) -> Mapping[str, int]:
        """Return when the last trace of each project ends that has one that ends after `since`; both in ms."""


class Target(NamedTuple):
    """Where a keyed stage writes."""

    table: str
    """The ClickHouse table of its rows."""
    changelog: str
    """The topic that keeps its state."""


class KeyedStage(ABC, Generic[Key, Value, Stored, Changed]):
    """The work of a keyed stage.

    Args:
        states: returns the states by partition.
        look_up: returns what ClickHouse has stored under keys whose state may be lost, and under others that are new
            unless it has a row.
        origin: what ClickHouse is asked when a state begins.
    """

    name: str
    target: Target
    holds: str
    """What a record of its topic holds."""

    def __init__(
        self,
        states: Callable[[], Mapping[int, KeyedState[Key, Value, Any, Stored, Changed]]],
        look_up: Callable[[Sequence[Key], Sequence[Key]], Awaitable[list[Stored]]],
        origin: Origin,
    ) -> None:
        self._states = states
        self._look_up = look_up
        self._origin = origin

    async def __call__(self, records: list[SourceRecord]) -> Writes:
        """Apply a batch to the state; returns what has to be written."""
        await self._begin()  # a state may have begun anew in the checkpoint before
        writes = Writes()
        batch = self._read(records, writes)
        partitions = sorted({record.partition for record in records})
        await self._adopt_lost(batch, partitions)
        turn = Turn()
        for record, items in batch:
            self._state(record.partition).apply(items, record.value, record.timestamp, record.offset)
            await turn.hand_over_if_long()
        await self._write(partitions, max(record.timestamp for record in records), writes, turn)
        return writes

    async def settle(self) -> Writes | None:
        """Return what has to be written before the next batch: rows that are owed, or were put off and are due by now,
        with all that goes with them; None if there are none. Begins with states that have just been taken over."""
        writes = Writes()
        if differing := await self._begin():
            await self._write(differing, 0, writes, Turn())
            return writes
        partitions = sorted(partition for partition, state in self._states().items() if state.owes())
        if not partitions:
            return None
        await self._adopt_lost([], partitions)
        now = max(self._state(partition).clock.now for partition in partitions)
        await self._write(partitions, now, writes, Turn())
        return writes

    async def _write(self, partitions: Sequence[int], timestamp: int, writes: Writes, turn: Turn) -> None:
        """Add what has changed in some partitions; `timestamp`, in ms, is that of what led to it."""
        changed = {}
        for partition in partitions:
            changed[partition] = self._state(partition).collect()
            await turn.hand_over_if_long()
        writes.rows.append((self.target.table, self._rows(list(changed.values()))))
        await turn.hand_over_if_long()
        writes.state[self.target.changelog] = [
            Record(partition, key, value)
            for partition, changes in changed.items()
            for key, value in changes.changelog
        ]
        self._send_on(list(changed.values()), timestamp, writes)

    def _state(self, partition: int) -> KeyedState[Key, Value, Any, Stored, Changed]:
        return self._states()[partition]

    @abstractmethod
    def _decode(self, value: bytes) -> list[tuple[Key, Value]]:
        """Read a record.

        Raises:
            DecodeError, ValueError, IndexError: it holds something else.
        """

    @abstractmethod
    def _rows(self, changes: Sequence[Changed]) -> pa.Table:
        """Return the rows of what has changed."""

    def _send_on(self, changes: Sequence[Changed], timestamp: int, writes: Writes) -> None:
        """Add the messages to the next stage, dated like what led to them; the last one has none."""

    def _read(
        self, records: list[SourceRecord], writes: Writes
    ) -> list[tuple[SourceRecord, list[tuple[Key, Value]]]]:
        batch = []
        for record in records:
            self._state(record.partition).clock.advance(record.timestamp)
            try:
                batch.append((record, self._decode(record.value)))
            except (DecodeError, ValueError, IndexError):
                reason = f"not a message of {self.holds}"
                letter = dead_letter(record.value, reason, record.topic, record.partition, record.offset)
                writes.messages.setdefault(DEAD_LETTERS, []).append(letter)
                metrics.DEAD_LETTERS.labels(self.name).inc()
        return batch

    async def _begin(self) -> list[int]:
        """Compare states that have just been taken over with the database that is there; where one began anew, also ask
        how far ahead clocks were before. Return the partitions whose rows are not there."""
        new = {partition: state for partition, state in self._states().items() if not state.has_begun}
        if not new:
            return []
        database = await self._origin.database(self.target.table)
        found = await self._origin.newest([row.key for state in new.values() for row in state.to_find()])
        differing = [partition for partition, state in new.items() if not state.begin(database, found)]
        if differing:
            logger.warning(
                "%s: ClickHouse lacks rows that this worker's state tells of: it is another database, an older copy,"
                " or rows were deleted. Rows of what is open are written anew; `spanloom rewind` has the spans that"
                " Kafka still holds read again",
                self.name,
            )
        for state in new.values():
            if state.began_anew:
                since = state.clock.kept_since
                state.begin_after(await self._origin.latest_ends(since) if since else {})
        return differing

    async def finds_its_rows(self) -> bool:
        """Whether the database is the one that the states began with, and has their rows: it may be another one, or an
        older copy, after it was out of reach."""
        # Those of now: the stage may store more while another one's insert asks.
        begun = {state: state.to_find() for state in self._states().values() if state.has_begun}
        database = await self._origin.database(self.target.table)
        found = await self._origin.newest([row.key for rows in begun.values() for row in rows])
        return all(state.finds(rows, database, found) for state, rows in begun.items())

    def are_stored(self) -> None:
        """Take note that ClickHouse has the rows of the last batch."""
        for state in self._states().values():
            state.are_stored()

    async def _adopt_lost(
        self, batch: list[tuple[SourceRecord, list[tuple[Key, Value]]]], partitions: Sequence[int]
    ) -> None:
        """Adopt keys that are not here but may have been, or that may be here in part only; and some that are owed."""
        partition_of: dict[Key, int] = {}
        lost: list[Key] = []
        new_without_row: list[Key] = []
        seen: dict[Key, list[Value]] = {}
        for record, items in batch:
            state = self._state(record.partition)
            for key, value in items:
                if key not in state:
                    partition_of[key] = record.partition
                    seen.setdefault(key, []).append(value)
        for key, values in seen.items():
            match self._state(partition_of[key]).novelty(key, values):
                case Novelty.OLD:
                    lost.append(key)
                case Novelty.NEW_WITHOUT_ROW:
                    new_without_row.append(key)
        brought = {key for _, items in batch for key, _ in items}
        to_adopt = {partition: self._state(partition).to_adopt(brought) for partition in partitions}
        for partition, keys in to_adopt.items():
            partition_of.update(dict.fromkeys(keys, partition))
            lost += keys
        if not lost and not new_without_row:
            return
        metrics.LOOKUPS.labels(self.name).inc(len(lost) + len(new_without_row))
        for stored in await self._look_up(lost, new_without_row):
            self._state(partition_of[stored.key]).adopt(stored)
        for partition, keys in to_adopt.items():
            self._state(partition).adopted(keys)
