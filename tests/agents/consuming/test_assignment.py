"""Partitions are taken over with their state, and given back without leaving any."""

from __future__ import annotations

import asyncio
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
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.states = Changelog("changelog", State)
        self.offsets = OffsetTracking(self, {}, self._fail)
        self.batches = Batches()
        self.assignment = Assignment(self, {"facts": self.states}, self.offsets, self.batches, 0)

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
        assert set(partitions) == {("changelog", number) for topic, number in self.held if topic == "facts"}

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
    return asyncio.run(world.assignment.take_over(Consumer(world)))


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
        taking = asyncio.create_task(world.assignment.take_over(Consumer(world)))
        async with asyncio.timeout(10):
            await world.reading.wait()
            await world.assignment.give_back("giving partitions back")
            assert await taking is False
        assert not world.batches.accepted
        assert world.offsets.positions() == {}
        assert world.states.states() == {}

        world.goes_on.set()
        world.held = {("facts", 0)}
        assert await world.assignment.take_over(Consumer(world))
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
        await world.assignment.take_over(Consumer(world))
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
