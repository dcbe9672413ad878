"""A stage takes batches, works, and ends each with a checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.records import BATCH_BYTES, Partition, SourceRecord, portions
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.stage import Outlets, Stage
from spanloom.kafka.producer import Record


@dataclass
class Stream:
    """Batches as Faust's stream gives them."""

    batches: Sequence[Sequence[SourceRecord]]

    async def noack_take(self, _: int, within: float) -> AsyncIterator[Sequence[SourceRecord]]:
        assert within > 0
        for batch in self.batches:
            yield batch


@dataclass
class World:
    """What a stage works with; `fails_at` is the offset at which its work raises."""

    fails_at: int | None = None
    rebalanced_at: int | None = None
    steps: list[Any] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    ours: bool = True

    def run(self, *batches: Sequence[SourceRecord]) -> World:
        accepting = Batches()
        accepting.accept()
        stage = Stage(
            "test",
            self._work,
            batches=accepting,
            take=list,
            outlets=Outlets(self._rows, self._records, self._acknowledge),
            still_ours=lambda: self.ours,
            fail=self.failures.append,
        )

        async def until_it_fails() -> None:
            try:
                await stage.run(Stream(batches), 64, 0.1)
            except ValueError:
                assert self.failures

        asyncio.run(until_it_fails())
        return self

    async def _work(self, records: list[SourceRecord]) -> Writes:
        offsets = [record.offset for record in records]
        self.steps.append(offsets)
        if self.fails_at in offsets:
            raise ValueError("broken")
        if self.rebalanced_at in offsets:
            self.ours = False
        return Writes(messages={"next": [Record(0, None, b"message")]})

    async def _rows(self, table: str, rows: pa.Table, /) -> None: ...

    async def _records(self, topic: str, _: Iterable[Record], /) -> None:
        self.steps.append(topic)

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        self.steps.append(dict(offsets))


def record(offset: int, partition: int = 0, size: int = 1) -> SourceRecord:
    return SourceRecord("t", partition, offset, 0, bytes(size), {})


def test_each_batch_is_worked_on_and_acknowledged_behind_its_last_records() -> None:
    world = World().run([record(0), record(4, partition=1), record(2)], [record(3)])
    assert world.steps == [
        [0, 4, 2],
        "next",
        {("t", 0): 3, ("t", 1): 5},
        [3],
        "next",
        {("t", 0): 4},
    ]


def test_a_large_batch_is_acknowledged_portion_by_portion() -> None:
    world = World().run([record(0, size=BATCH_BYTES), record(1)])
    assert world.steps == [[0], "next", {("t", 0): 1}, [1], "next", {("t", 0): 2}]


def test_what_the_work_raises_ends_the_process_and_acknowledges_nothing() -> None:
    world = World(fails_at=1).run([record(0), record(1)], [record(2)])
    assert world.steps == [[0, 1]]
    assert [str(failure) for failure in world.failures] == ["broken"]


def test_when_its_partitions_are_lost_a_stage_drops_that_batch_and_all_that_follow() -> None:
    world = World(rebalanced_at=0).run([record(0)], [record(1)])
    assert world.steps == [[0], [1]]
    assert world.failures == []


@given(st.lists(st.integers(0, 50)), st.integers(1, 100))
def test_portions_keep_the_order_and_the_limit(sizes: list[int], limit: int) -> None:
    records = [record(offset, size=size) for offset, size in enumerate(sizes)]
    cut = list(portions(records, limit))
    assert [one for run in cut for one in run] == records
    assert all(len(run) == 1 or sum(len(one.value) for one in run) <= limit for run in cut)
