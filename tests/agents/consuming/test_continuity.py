from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.consuming.continuity import Continuity
from spanloom.agents.consuming.gate import Gate
from spanloom.agents.consuming.records import Partition, SourceRecord, portions
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.stage import Outlets, Stage, TopicCreatedAnew
from spanloom.kafka.producer import Record


@dataclass
class Message:
    """What Faust hands over."""

    offset: int
    partition: int = 0
    generation_id: int = 7
    topic: str = "t"
    timestamp: float = 1.0
    value: bytes = b"value"
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Event:
    message: Message


@dataclass
class World:
    """A log with the given offsets, and a stage that reads it."""

    offsets: list[int]
    worked: list[int] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    sought: list[int] = field(default_factory=list)

    def stage(self, first: int) -> Stage:
        continuity = Continuity()
        continuity.start({("t", 0): first})
        return Stage(
            "test",
            self._work,
            gate=Gate(),
            continuity=continuity,
            log=self,
            outlets=Outlets(self._rows, self._records, self._acknowledge),
            generation=lambda: 7,
            fail=_fail,
        )

    async def next_offset(self, _: Partition, offset: int) -> int:
        return next(other for other in self.offsets if other >= offset)

    async def holds(self, _: Partition, offset: int) -> bool:
        return offset <= self.offsets[-1] + 1

    async def seek(self, _: Partition, offset: int) -> None:
        self.sought.append(offset)

    async def _work(self, records: list[SourceRecord]) -> Writes:
        self.worked += [record.offset for record in records]
        return Writes()

    async def _rows(self, table: str, rows: pa.Table, /) -> None: ...

    async def _records(self, topic: str, records: Sequence[Record], /) -> None: ...

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        self.acknowledged += offsets.values()


def _fail(error: BaseException) -> None:
    raise error


def run(world: World, first: int, *batches: list[Any]) -> World:
    async def scenario() -> None:
        stage = world.stage(first)
        for batch in batches:
            await stage.batch([item if isinstance(item, Event) else Event(Message(item)) for item in batch])

    asyncio.run(scenario())
    return world


def test_what_came_already_is_dropped() -> None:
    world = run(World([0, 1, 2, 3]), 0, [0, 1], [0, 1, 2], [2, 3])
    assert world.worked == [0, 1, 2, 3]


def test_a_record_that_was_left_out_is_read_again_and_never_stepped_over() -> None:
    world = run(World([0, 1, 2, 3]), 0, [0, 1, 3], [3], [2, 3])
    assert world.worked == [0, 1, 2, 3]
    assert world.sought == [2, 2]
    assert world.acknowledged == [2, 4]


def test_a_gap_of_the_log_is_believed() -> None:
    world = run(World([0, 1, 5, 6]), 0, [0, 1, 5], [6])
    assert world.worked == [0, 1, 5, 6]
    assert world.sought == []


def test_the_first_record_too_must_be_the_one_that_is_due() -> None:
    assert run(World([0, 1, 2]), 1, [2]).worked == []
    assert run(World([5, 6]), 1, [5, 6]).worked == [5, 6]


def test_a_topic_that_was_created_anew_is_noticed() -> None:
    with pytest.raises(TopicCreatedAnew, match="created anew"):
        run(World([0, 1, 2]), 40, [0, 1, 2])


def test_records_of_another_generation_or_of_partitions_given_away_are_dropped() -> None:
    foreign = [Event(Message(0, generation_id=6)), Event(Message(0, partition=3))]
    assert run(World([0]), 0, foreign).worked == []


@given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=12))
def test_whatever_is_delivered_each_record_is_worked_on_once_and_in_order(batches: list[list[int]]) -> None:
    world = run(World(list(range(13))), 0, *batches)
    assert world.worked == list(range(len(world.worked)))


@given(st.lists(st.integers(0, 50)), st.integers(1, 100))
def test_portions_keep_the_order_and_the_limit(sizes: list[int], limit: int) -> None:
    records = [SourceRecord("t", 0, offset, 0, bytes(size), {}) for offset, size in enumerate(sizes)]
    cut = list(portions(records, limit))
    assert [record for run in cut for record in run] == records
    assert all(len(run) == 1 or sum(len(record.value) for record in run) <= limit for run in cut)
