from __future__ import annotations

import asyncio
from collections.abc import Mapping

from spanloom.agents.consuming.records import Partition
from spanloom.agents.consuming.stalls import Stalls


class World:
    """A log with these ends, and a worker that waits for these offsets."""

    def __init__(self, positions: dict[Partition, int], ends: dict[Partition, int]) -> None:
        self.positions = positions
        self.ends = ends
        self.asked: list[Partition] = []
        self._stalls = Stalls(lambda: dict(self.positions), self._ends)

    async def _ends(self, partitions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        self.asked += partitions
        return {partition: self.ends[partition] for partition in partitions}

    def look(self) -> dict[Partition, int]:
        return asyncio.run(self._stalls.look())


def test_records_that_do_not_come_are_found_by_the_second_look() -> None:
    world = World({("facts", 0): 3, ("facts", 1): 5}, {("facts", 0): 3, ("facts", 1): 9})
    assert world.look() == {}
    assert world.look() == {("facts", 1): 5}


def test_a_topic_that_moves_is_not_asked_about() -> None:
    world = World({("facts", 0): 0, ("facts", 1): 0}, {("facts", 0): 100, ("facts", 1): 100})
    world.look()
    world.positions[("facts", 0)] = 50
    assert world.look() == {}
    assert world.asked == []


def test_other_topics_do_not_matter() -> None:
    world = World({("spans", 0): 0, ("facts", 0): 0}, {("spans", 0): 9, ("facts", 0): 9})
    world.look()
    world.positions[("spans", 0)] = 4
    assert world.look() == {("facts", 0): 0}


def test_the_mark_of_a_transaction_is_told_once() -> None:
    world = World({("facts", 0): 7}, {("facts", 0): 8})
    world.look()
    assert world.look() == {("facts", 0): 7}
    assert world.look() == {}
    world.ends[("facts", 0)] = 12
    assert world.look() == {("facts", 0): 7}


def test_what_is_new_to_the_worker_gets_its_time() -> None:
    world = World({}, {("facts", 0): 8})
    world.look()
    world.positions = {("facts", 0): 2}
    assert world.look() == {}
