"""A stage takes batches, works, and ends each with a checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.records import Partition, SourceRecord
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.stage import Outlets, Stage
from spanloom.kafka.producer import Record


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
            with suppress(ValueError):
                for batch in batches:
                    await stage.take(batch)

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


def record(offset: int, partition: int = 0) -> SourceRecord:
    return SourceRecord("t", partition, offset, 0, b"value", {})


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


def test_a_batch_of_which_nothing_is_left_after_a_rebalance_ends_nothing() -> None:
    assert World().run([]).steps == []


def test_what_the_work_raises_ends_the_process_and_acknowledges_nothing() -> None:
    world = World(fails_at=1).run([record(0), record(1)], [record(2)])
    assert world.steps == [[0, 1]]
    assert [str(failure) for failure in world.failures] == ["broken"]


def test_when_its_partitions_are_lost_a_stage_drops_that_batch_and_all_that_follow() -> None:
    world = World(rebalanced_at=0).run([record(0)], [record(1)])
    assert world.steps == [[0], [1]]
    assert world.failures == []
