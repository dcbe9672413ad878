"""What is read ahead is bounded by bytes, and taken by bytes and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mode.utils.queues import FlowControlEvent

from spanloom.agents.consuming.buffer import MESSAGE_BYTES, Buffer, batches, weight


@dataclass
class Message:
    value: bytes | None


@dataclass
class Event:
    """One of Faust's events, as far as a buffer looks into it."""

    message: Message


def event(size: int) -> Event:
    """An event that weighs so much."""
    return Event(Message(bytes(size - MESSAGE_BYTES)))


def buffer(maxsize: int = 1 << 20) -> Buffer:
    flow = FlowControlEvent(initially_suspended=False)
    return Buffer(maxsize=maxsize, flow_control=flow, clear_on_resume=True)


class Channel:
    """The channel of an agent."""

    def __init__(self, queue: Buffer) -> None:
        self.queue = queue

    def __aiter__(self) -> Channel:
        return self

    async def __anext__(self) -> Any:
        return await self.queue.get()


async def taken(sizes: Sequence[int], size: int, linger: float = 0.001) -> list[list[int]]:
    """How heavy the events of each batch are, if all of them are there from the beginning."""
    queue = buffer()
    for one in sizes:
        queue.put_nowait(event(one))
    found: list[list[int]] = []
    async for batch in batches(Channel(queue), size, linger):
        found.append([weight(one) for one in batch])
        if sum(map(len, found)) == len(sizes):
            break
    return found


def test_an_event_weighs_its_value_and_something_besides() -> None:
    assert weight(Event(Message(bytes(10)))) == MESSAGE_BYTES + 10
    assert weight(Event(Message(None))) == MESSAGE_BYTES


@given(st.lists(st.integers(MESSAGE_BYTES, 9000), min_size=1), st.integers(1, 30_000))
def test_a_batch_ends_with_the_event_that_fills_it(sizes: list[int], size: int) -> None:
    found = asyncio.run(taken(sizes, size))
    assert [one for batch in found for one in batch] == sizes
    assert all(sum(batch[:-1]) < size for batch in found)
    assert all(sum(batch) >= size for batch in found[:-1])


def test_a_batch_waits_for_what_comes_while_it_lingers() -> None:
    async def scenario() -> list[int]:
        queue = buffer()
        found = batches(Channel(queue), 1 << 20, 0.5)
        first = asyncio.ensure_future(anext(found))
        queue.put_nowait(event(2000))
        await asyncio.sleep(0.05)
        queue.put_nowait(event(3000))
        return [weight(one) for one in await first]

    assert asyncio.run(scenario()) == [2000, 3000]


def test_a_batch_that_is_full_waits_no_longer() -> None:
    async def scenario() -> list[int]:
        queue = buffer()
        found = batches(Channel(queue), 5000, 3600.0)
        first = asyncio.ensure_future(anext(found))
        queue.put_nowait(event(2000))
        await asyncio.sleep(0.01)
        assert not first.done()
        queue.put_nowait(event(3000))
        return [weight(one) for one in await asyncio.wait_for(first, 60)]

    assert asyncio.run(scenario()) == [2000, 3000]


@pytest.mark.parametrize("sizes", [[40_000], [2000] * 20])
def test_full_is_what_holds_so_many_bytes_not_so_many_events(sizes: list[int]) -> None:
    queue = buffer(maxsize=40_000)
    told: list[str] = []
    for size in sizes[:-1]:
        queue.put_nowait(event(size))
    assert not queue.full()
    queue.put_nowait(event(sizes[-1]))
    assert queue.full()
    queue.put_nowait_enhanced(
        event(2000),
        on_pressure_high=lambda: told.append("high"),
        on_pressure_drop=lambda: told.append("drop"),
    )
    assert told == ["high"]
    for _ in range(len(sizes) + 1):
        queue.get_nowait()
    assert queue.qsize() == 0
    queue.maybe_endorse_pressure_drop()
    assert told == ["high", "drop"]


def test_what_is_cleared_weighs_nothing() -> None:
    queue = buffer()
    queue.put_nowait(event(5000))
    queue.clear()
    assert queue.qsize() == 0
    assert queue.empty()


@pytest.mark.parametrize("events", [0, 1], ids=["while it waits for a first event", "while it lingers"])
def test_when_its_stream_is_stopped_it_ends(events: int) -> None:
    """Faust throws StopAsyncIteration into the queue, which must not leave a generator as it is (PEP 479)."""

    async def scenario() -> list[list[Any]]:
        queue = buffer()
        taking = asyncio.ensure_future(_all(batches(Channel(queue), 1 << 20, 0.05)))
        for _ in range(events):
            queue.put_nowait(event(2000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await queue.throw(StopAsyncIteration())
        return await asyncio.wait_for(taking, 60)

    assert asyncio.run(scenario()) == []


async def _all(found: AsyncIterator[list[Any]]) -> list[list[Any]]:
    return [batch async for batch in found]
