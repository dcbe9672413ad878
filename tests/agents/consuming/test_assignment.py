"""Partitions are taken over with their state, and given back without leaving any."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from aiokafka.errors import KafkaConnectionError

from spanloom.agents.consuming import assignment as module
from spanloom.agents.consuming.assignment import Assignment
from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import Changelog
from spanloom.agents.consuming.log import Log, Take
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.consuming.records import Partition
from spanloom.agents.stages.checkpoint import PartitionsLost

CLOCK = (b"clock", b"now")


class Read(NamedTuple):
    key: bytes
    value: bytes | None


class State:
    """What a changelog was read into."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.steps: list[str] = []
        self.applied = 0

    def restore(self, key: bytes, value: bytes | None) -> None:
        assert value != b"broken", "a record that can't be read"
        self.applied += 1
        self.values.pop(key, None)
        if value is not None:
            self.values[key] = value

    def restored(self) -> None:
        self.steps.append("restored")


@dataclass
class World(Log):
    """A log, and a worker that holds partitions 0 and 1 of the topic `facts`."""

    changelog: list[tuple[bytes, bytes | None]]
    steps: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    held: set[Partition] = field(default_factory=lambda: {("spans", 0), ("facts", 0), ("facts", 1)})
    kept: set[int] = field(default_factory=set)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.states = Changelog("changelog", State)
        self.offsets = OffsetTracking(self, {}, self._fail)
        self.batches = Batches()
        self.assignment = Assignment(self, {"facts": self.states}, self.offsets, self.batches, 0)

    @property
    def wanted(self) -> set[Partition]:
        """The changelogs that are to be read."""
        numbers = {number for topic, number in self.held if topic == "facts"}
        return {("changelog", number) for number in numbers - self.kept}

    async def read(self, partitions: Collection[Partition], take: Take) -> None:
        assert not self.batches.accepted
        assert self.offsets.positions() == {}
        self.steps.append("read")
        take(("changelog", 0), [Read(*record) for record in self.changelog])
        self.reading.set()
        if self.goes_on is not None:
            await self.goes_on.wait()
        if self.failures:
            raise self.failures.pop()
        assert set(partitions) == self.wanted

    async def first_offsets(self, committed: Mapping[Partition, int | None]) -> dict[Partition, int]:
        assert not self.batches.accepted
        self.steps.append("first offsets")
        return {partition: offset or 0 for partition, offset in committed.items()}

    def _fail(self, error: BaseException) -> None:
        raise error


@dataclass
class Consumer:
    world: World

    def assignment(self) -> set[Partition]:
        return self.world.held

    def stop_flow(self) -> None:
        self.world.steps.append("flow stopped")

    async def committed(self) -> Mapping[Partition, int | None]:
        return {partition: 5 if partition == ("facts", 1) else None for partition in self.world.held}


def take_over(world: World) -> bool:
    return asyncio.run(world.assignment.take_over(Consumer(world), 1))


def test_the_state_is_there_before_anything_is_delivered() -> None:
    world = World([(b"a", b"1"), (b"b", b"2"), CLOCK, (b"a", b"3"), CLOCK])
    assert take_over(world)
    assert world.steps == ["flow stopped", "read", "first offsets"]
    assert world.states[0].values == {b"a": b"3", b"b": b"2", CLOCK[0]: CLOCK[1]}
    assert world.states[1].values == {}
    assert world.offsets.positions() == {("spans", 0): 0, ("facts", 0): 0, ("facts", 1): 5}
    assert world.batches.accepted
    assert world.assignment.records_restored == 5
    with pytest.raises(KeyError):
        world.states[2]


def test_partitions_that_are_revoked_during_recovery_are_left_alone() -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        world.goes_on = asyncio.Event()
        taking = asyncio.create_task(world.assignment.take_over(Consumer(world), 1))
        async with asyncio.timeout(10):
            await world.reading.wait()
            await world.assignment.give_back("giving partitions back")
            assert await taking is False
        assert not world.batches.accepted
        assert world.offsets.positions() == {}
        assert world.states.states() == {}

        world.goes_on.set()
        world.held = {("facts", 0)}
        assert await world.assignment.take_over(Consumer(world), 1)
        assert list(world.states.states()) == [0]

    asyncio.run(scenario())


def test_while_kafka_is_away_recovery_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY", 0)
    world = World([(b"a", b"1"), CLOCK], failures=[KafkaConnectionError(), ConnectionResetError()])
    assert take_over(world)
    assert world.steps == ["flow stopped", "read", "read", "read", "first offsets"]
    assert world.states[0].steps == ["restored"]
    assert world.states[0].applied == 2


def test_a_record_that_can_not_be_read_is_an_error() -> None:
    world = World([(b"a", b"broken")])
    with pytest.raises(AssertionError, match="can't be read"):
        take_over(world)
    assert not world.batches.accepted


def test_giving_back_ends_batches_and_leaves_nothing() -> None:
    async def scenario() -> bool:
        world = World([CLOCK])
        await world.assignment.take_over(Consumer(world), 1)
        cancelled = False

        async def batch() -> None:
            nonlocal cancelled
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                assert world.states.states(), "a batch that still runs has its state"
                cancelled = True
                raise

        running = asyncio.create_task(world.batches.run(batch()))
        await asyncio.sleep(0)
        await world.assignment.give_back("stopping")
        await running
        assert world.states.states() == {}
        assert world.offsets.positions() == {}
        assert not world.batches.accepted
        return cancelled

    assert asyncio.run(scenario())


async def _rebalance(world: World, held: set[Partition], generation: int) -> bool:
    """Give everything back, and take this over in that generation of the group."""
    await world.assignment.give_back("giving partitions back")
    assert world.states.states() == {}
    world.held = held
    return await world.assignment.take_over(Consumer(world), generation)


def test_what_comes_back_in_the_next_generation_is_not_read_again() -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        kept = world.states[1]
        world.kept = {1}
        world.changelog = []
        assert await _rebalance(world, {("facts", 1), ("facts", 3)}, 8)
        assert world.states[1] is kept
        assert kept.steps == ["restored"]
        assert world.states[3].steps == ["restored"]
        assert set(world.states.states()) == {1, 3}
        # Once more, with all that it holds: nothing is left over from the generation before.
        world.kept = {1}
        assert await _rebalance(world, {("facts", 0), ("facts", 1)}, 9)
        assert world.states[1] is kept

    asyncio.run(scenario())


@pytest.mark.parametrize("generation", [1, 7, 9])
def test_what_others_may_have_held_meanwhile_is_read_again(generation: int) -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        before = world.states[0]
        assert await _rebalance(world, world.held, generation)
        assert world.states[0] is not before
        assert world.states[0].applied == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("failure", [asyncio.CancelledError, PartitionsLost])
def test_after_a_batch_without_its_checkpoint_all_is_read_again(failure: type[BaseException]) -> None:
    async def scenario() -> None:
        world = World([CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        before = world.states[0]

        async def batch() -> None:
            if failure is asyncio.CancelledError:
                await asyncio.Event().wait()
            raise failure

        running = asyncio.create_task(world.batches.run(batch()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await _rebalance(world, world.held, 8)
        with contextlib.suppress(PartitionsLost):
            await running
        assert world.states[0] is not before

    asyncio.run(scenario())


def test_what_was_half_read_is_read_again() -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        world.goes_on = asyncio.Event()
        taking = asyncio.create_task(world.assignment.take_over(Consumer(world), 7))
        async with asyncio.timeout(10):
            await world.reading.wait()
            half = world.states[0]
            world.goes_on.set()
            world.changelog = [(b"a", b"2"), CLOCK]
            assert await _rebalance(world, world.held, 8)
            assert await taking is False
        assert world.states[0] is not half
        assert world.states[0].values[b"a"] == b"2"

    asyncio.run(scenario())
