"""The pace of a replay, by a clock of its own."""

from __future__ import annotations

import asyncio

from spanloom.commands.replaying.pace import Pace


class World:
    """A clock that sleeping moves, and workers that read so many messages a second."""

    def __init__(self, behind: int = 0, reading: int = 0) -> None:
        self.now = 100.0
        self.behind = behind
        self.looks: list[float] = []
        self.waits: list[int] = []
        self._reading = reading

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.behind = max(0, self.behind - round(seconds * self._reading))

    async def waiting(self) -> int:
        self.looks.append(self.now)
        return self.behind

    def pace(self, rate: float, most_waiting: int = 0) -> Pace:
        return Pace(
            rate,
            most_waiting,
            self.waiting,
            on_wait=self.waits.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


def send(world: World, pace: Pace, *portions: int) -> list[float]:
    """When portions of so many spans are sent."""

    async def run() -> list[float]:
        times = []
        for spans in portions:
            await pace.before(spans)
            times.append(world.now)
        return times

    return asyncio.run(run())


def test_spans_are_held_back_to_the_rate() -> None:
    world = World()
    assert send(world, world.pace(100), 50, 200, 10, 10) == [100, 100.5, 102.5, 102.6]


def test_time_that_went_by_otherwise_is_not_made_up_for() -> None:
    world = World()
    pace = world.pace(100)
    send(world, pace, 100)
    world.now += 60
    assert send(world, pace, 100, 100) == [160, 161]


def test_nothing_is_sent_while_the_workers_are_behind() -> None:
    world = World(behind=250, reading=100)
    assert send(world, world.pace(1000, most_waiting=20), 1, 1) == [103, 103]
    assert world.waits == [250, 150, 50]


def test_kafka_is_asked_once_a_second_at_most() -> None:
    world = World()
    send(world, world.pace(10), *[1] * 40)
    assert len(world.looks) <= 5
