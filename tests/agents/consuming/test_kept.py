"""State is kept over a rebalance, where nobody can have changed what it is the state of."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from spanloom.agents.consuming.changelog import BEGINS_ANEW
from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.stages.checkpoint import PartitionsLost
from spanloom.kafka.producer import Record
from tests.agents.consuming.world import (
    CLOCK,
    IDS,
    OURS,
    Consumer,
    World,
    rebalance,
)


def test_what_comes_back_in_the_next_generation_is_not_read_again() -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        kept = world.states[1]
        world.kept = {1}
        world.changelog = []
        assert await rebalance(world, {("facts", 1), ("facts", 3)}, 8)
        assert world.states[1] is kept
        assert kept.steps == ["restored"]
        assert world.states[3].steps == ["restored"]
        assert set(world.states.states()) == {1, 3}
        # Once more, with all that it holds: nothing is left over from the generation before.
        world.kept = {1}
        assert await rebalance(world, {("facts", 0), ("facts", 1)}, 9)
        assert world.states[1] is kept

    asyncio.run(scenario())


@pytest.mark.parametrize("generation", [1, 7, 9])
def test_what_others_may_have_held_meanwhile_is_read_again(generation: int) -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        before = world.states[0]
        assert await rebalance(world, world.held, generation)
        assert world.states[0] is not before
        assert world.states[0].applied == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["facts", "changelog"])
def test_what_comes_back_of_another_topic_is_read_again(name: str) -> None:
    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        before = dict(world.states.states())
        world.topic_ids[name] = "created anew"
        assert await rebalance(world, world.held, 8)
        assert all(world.states[number] is not state for number, state in before.items())
        if name == "facts":
            assert world.states[0].applied == 2  # its changelog is the one it was
        else:
            assert world.states[0].values == {}
            assert ("changelog", Record(0, BEGINS_ANEW, b"anew")) in world.produced

    asyncio.run(scenario())


def test_a_topic_of_which_another_stage_reads_makes_no_difference() -> None:
    async def scenario() -> None:
        world = World([CLOCK])
        await world.assignment.take_over(Consumer(world), 7)
        before = world.states[1]
        world.topic_ids["spans"] = "created anew"
        world.kept = {0, 1}
        assert await rebalance(world, world.held, 8)
        assert world.states[1] is before

    asyncio.run(scenario())


def test_after_a_rebalance_that_the_worker_asked_for_all_is_read_again() -> None:
    """Where the broker knows no IDs, the watch on the topics may still know that one is another."""

    async def scenario() -> None:
        world = World([CLOCK], topic_ids=dict.fromkeys(IDS, ""))
        await world.assignment.take_over(Consumer(world), 7)
        before = world.states[1]
        world.assignment.keep_nothing()
        assert await rebalance(world, world.held, 8)
        again = world.states[1]
        assert again is not before
        world.kept = {0, 1}
        assert await rebalance(world, world.held, 9)
        assert world.states[1] is again

    asyncio.run(scenario())


@pytest.mark.parametrize("committed", [None, Committed(3, TopicIds("b2", "another"))])
def test_state_that_comes_back_is_no_part_only_though_its_commits_were_refused(
    committed: Committed | None,
) -> None:
    async def scenario() -> None:
        world = World([CLOCK])
        world.committed["facts", 1] = committed
        await world.assignment.take_over(Consumer(world), 7)
        before, said = world.states[1], len(world.produced)
        world.kept = {0, 1}
        assert await rebalance(world, world.held, 8)
        assert world.states[1] is before
        assert len(world.produced) == said
        assert world.acknowledged == ({("facts", 1): Committed(3, OURS)} if committed else {})

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
        assert await rebalance(world, world.held, 8)
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
            assert await rebalance(world, world.held, 8)
            assert await taking is False
        assert world.states[0] is not half
        assert world.states[0].values[b"a"] == b"2"

    asyncio.run(scenario())
