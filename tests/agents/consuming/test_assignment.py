"""Partitions are taken over with their state, and given back without leaving any."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, UnknownTopicOrPartitionError

from tests.agents.consuming.world import (
    CLOCK,
    IDS,
    OURS,
    Consumer,
    World,
    take_over,
)


def test_the_state_is_there_before_anything_is_delivered() -> None:
    world = World([(b"a", b"1"), (b"b", b"2"), CLOCK, (b"a", b"3"), CLOCK])
    assert take_over(world)
    # The IDs before all else: what comes after them is of these topics or of newer ones.
    assert world.steps == ["flow stopped", "topics", "committed", "read", "first offsets"]
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


@pytest.mark.parametrize(
    "failures",
    [
        [KafkaConnectionError(), ConnectionResetError()],
        [UnknownTopicOrPartitionError("facts"), TimeoutError()],
    ],
)
def test_while_kafka_is_away_recovery_begins_again(failures: list[Exception]) -> None:
    world = World([(b"a", b"1"), CLOCK], failures=failures)
    assert take_over(world)
    assert world.steps == ["flow stopped", *3 * ["topics", "committed", "read"], "first offsets"]
    assert world.states[0].steps == ["restored"]
    assert world.states[0].applied == 2


def test_a_record_that_can_not_be_read_is_an_error() -> None:
    world = World([(b"a", b"broken")])
    with pytest.raises(AssertionError, match="can't be read"):
        take_over(world)
    assert not world.batches.accepted


@pytest.mark.parametrize("name", IDS)
def test_a_topic_that_is_missing_is_waited_for(name: str) -> None:
    world = World([CLOCK], missing=[name, name])
    assert take_over(world)
    assert world.steps.count("topics") == 3
    assert world.steps.count("read") == 1


def test_a_missing_topic_of_which_the_worker_has_no_partition_stops_nothing() -> None:
    world = World([CLOCK], missing=["spans"], held={("facts", 0)})
    assert take_over(world)
    assert world.steps.count("topics") == 1
    assert world.assignment.ids() == {"facts": OURS}


def test_a_refusal_is_an_error() -> None:
    with pytest.raises(GroupAuthorizationFailedError):
        take_over(World([CLOCK], failures=[GroupAuthorizationFailedError("group")]))


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
