from __future__ import annotations

import asyncio

import pytest

from spanloom.agents.consuming.gate import Gate


def test_a_closed_gate_drops_a_batch() -> None:
    async def scenario() -> list[str]:
        done: list[str] = []

        async def batch() -> None:
            done.append("batch")

        gate = Gate()
        await gate.run(batch())
        gate.open()
        await gate.run(batch())
        await gate.close(1)
        await gate.run(batch())
        return done

    assert asyncio.run(scenario()) == ["batch"]


def test_closing_waits_for_running_batches() -> None:
    async def scenario() -> tuple[bool, list[str]]:
        done: list[str] = []
        goes_on = asyncio.Event()

        async def batch() -> None:
            await goes_on.wait()
            done.append("batch")

        gate = Gate()
        gate.open()
        running = asyncio.create_task(gate.run(batch()))
        await asyncio.sleep(0)
        closing = asyncio.create_task(gate.close(60))
        await asyncio.sleep(0)
        goes_on.set()
        in_time = await closing
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

        gate = Gate()
        gate.open()
        running = asyncio.create_task(gate.run(batch()))
        await asyncio.sleep(0)
        in_time = await gate.close(0)
        await running  # raises nothing
        return in_time, cancelled

    assert asyncio.run(scenario()) == (False, True)


def test_an_agent_that_is_cancelled_leaves_its_batch_to_close() -> None:
    async def scenario() -> list[str]:
        done: list[str] = []
        goes_on = asyncio.Event()

        async def batch() -> None:
            await goes_on.wait()
            done.append("batch")

        gate = Gate()
        gate.open()
        agent = asyncio.create_task(gate.run(batch()))
        await asyncio.sleep(0)
        agent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await agent
        goes_on.set()
        await gate.close(60)
        return done

    assert asyncio.run(scenario()) == ["batch"]


def test_what_a_batch_raises_reaches_the_agent() -> None:
    async def scenario() -> None:
        async def batch() -> None:
            raise ValueError("broken")

        gate = Gate()
        gate.open()
        await gate.run(batch())

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(scenario())
