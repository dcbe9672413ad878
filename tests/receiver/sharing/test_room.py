"""Requests and bytes in flight, and the thread for heavy work."""

from __future__ import annotations

import asyncio
import threading

import pytest

from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.sharing.room import Room
from spanloom.receiver.sharing.thread import Thread


def refused(error: pytest.ExceptionInfo[Refused]) -> Reason:
    assert error.value.retry_after
    return error.value.reason


def test_a_thousand_requests_of_one_project_leave_room_for_another() -> None:
    room = Room(1000, 1000, lambda: True)
    entered = [room.enter("greedy") for _ in range(750)]
    with pytest.raises(Refused) as error:
        room.enter("greedy")
    assert refused(error) is Reason.UNAVAILABLE
    room.enter("modest").answered()
    entered[0].answered()
    room.enter("greedy")


def test_bytes_are_held_until_the_last_that_needs_them_is_done() -> None:
    async def run() -> None:
        room = Room(10, 1000, lambda: True)
        held = room.enter("a")
        held.add(300)
        kafka: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        held.keep_until(kafka)
        held.answered()
        assert room.bytes == 300
        kafka.set_result(None)
        await asyncio.sleep(0)
        assert room.bytes == 0

    asyncio.run(run())


def test_who_waits_for_room_gets_it_in_turns_by_project() -> None:
    async def run() -> None:
        room = Room(100, 100, lambda: False)
        first = room.enter("greedy")
        first.add(100)
        got: list[str] = []

        async def wait(project: str) -> None:
            held = room.enter(project)
            await held.wait(100)
            got.append(project)
            held.answered()

        tasks = [asyncio.create_task(wait(project)) for project in ("greedy", "greedy", "greedy", "modest")]
        gone = asyncio.create_task(wait("gone"))
        await asyncio.sleep(0)
        gone.cancel()
        first.answered()
        await asyncio.gather(*tasks)
        assert got == ["greedy", "modest", "greedy", "greedy"]
        assert room.bytes == 0

    asyncio.run(run())


def test_the_thread_works_in_turns_by_project() -> None:
    async def run() -> None:
        room, thread, done = Room(1000, 1000, lambda: True), Thread("test"), list[tuple[str, int]]()
        go = threading.Event()

        def work(project: str, number: int) -> None:
            assert go.wait(60)
            done.append((project, number))

        def start(project: str, number: int) -> asyncio.Task[None]:
            return asyncio.create_task(thread.run(room.enter(project), 0, work, project, number))

        tasks = [start("greedy", number) for number in range(30)] + [start("modest", 0)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)
        assert done[:3] == [("greedy", 0), ("greedy", 1), ("modest", 0)]
        assert len(done) == 31

    asyncio.run(run())


def test_a_call_whose_turn_does_not_come_is_asked_to_come_later() -> None:
    async def run() -> None:
        room, thread = Room(10, 1000, lambda: True), Thread("test", patience=0.01)
        go = threading.Event()
        task = asyncio.create_task(thread.run(room.enter("a"), 0, go.wait, 60))
        await asyncio.sleep(0)
        with pytest.raises(Refused):
            await thread.run(room.enter("a"), 0, go.wait, 60)
        go.set()
        assert await task
        assert await thread.run(room.enter("b"), 0, lambda: 7) == 7

    asyncio.run(run())


def test_work_whose_caller_is_gone_still_holds_its_bytes() -> None:
    """Else whoever cancels his calls would have as many bodies in memory as he likes."""

    async def run() -> None:
        room, thread = Room(10, 1000, lambda: True), Thread("test")
        go = threading.Event()
        held = room.enter("a")
        task = asyncio.create_task(thread.run(held, 100, go.wait, 60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held.answered()
        assert room.bytes == 100
        go.set()
        assert await thread.run(room.enter("b"), 0, lambda: room.bytes) == 0

    asyncio.run(run())


def test_without_room_for_what_it_needs_work_is_refused_and_the_next_has_its_turn() -> None:
    async def run() -> None:
        room, thread = Room(10, 1000, lambda: True), Thread("test")
        with pytest.raises(Refused):
            await thread.run(room.enter("a"), 2000, lambda: None)
        assert await thread.run(room.enter("a"), 10, lambda: 7) == 7

    asyncio.run(run())
