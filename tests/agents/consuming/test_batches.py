from __future__ import annotations

import asyncio

import pytest

from spanloom.agents.consuming.batches import Batches


def test_a_batch_that_is_not_accepted_is_dropped() -> None:
    async def scenario() -> list[str]:
        done: list[str] = []

        async def batch() -> None:
            done.append("batch")

        batches = Batches()
        await batches.run(batch())
        batches.accept()
        await batches.run(batch())
        await batches.drain(1)
        await batches.run(batch())
        return done

    assert asyncio.run(scenario()) == ["batch"]


def test_draining_waits_for_running_batches() -> None:
    async def scenario() -> tuple[bool, list[str]]:
        done: list[str] = []
        goes_on = asyncio.Event()

        async def batch() -> None:
            await goes_on.wait()
            done.append("batch")

        batches = Batches()
        batches.accept()
        running = asyncio.create_task(batches.run(batch()))
        await asyncio.sleep(0)
        draining = asyncio.create_task(batches.drain(60))
        await asyncio.sleep(0)
        goes_on.set()
        in_time = await draining
        await running
        return in_time, done

    assert asyncio.run(scenario()) == (True, ["batch"])


def test_a_batch_that_takes_too_long_is_cancelled_and_its_agent_goes_on() -> None:
    async def scenario() -> tuple[bool, bool]:
        cancelled = False

        async def batch() -> None:
            nonlocal cancelled
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled = True
                raise

        batches = Batches()
        batches.accept()
        running = asyncio.create_task(batches.run(batch()))
        await asyncio.sleep(0)
        in_time = await batches.drain(0)
        await running  # raises nothing
        return in_time, cancelled

    assert asyncio.run(scenario()) == (False, True)


def test_an_agent_that_is_cancelled_leaves_its_batch_to_drain() -> None:
    async def scenario() -> list[str]:
        done: list[str] = []
        goes_on = asyncio.Event()

        async def batch() -> None:
            await goes_on.wait()
            done.append("batch")

        batches = Batches()
        batches.accept()
        agent = asyncio.create_task(batches.run(batch()))
        await asyncio.sleep(0)
        agent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await agent
        goes_on.set()
        await batches.drain(60)
        return done

    assert asyncio.run(scenario()) == ["batch"]


def test_what_a_batch_raises_reaches_the_agent() -> None:
    async def scenario() -> None:
        async def batch() -> None:
            raise ValueError("broken")

        batches = Batches()
        batches.accept()
        await batches.run(batch())

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(scenario())
