"""What a stage gets of what Faust hands out: every record of the log once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, TopicAuthorizationFailedError
from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.offsets import OffsetTracking, RecordsLost
from spanloom.agents.consuming.records import Partition
from spanloom.agents.retry import Retry
from spanloom.kafka.outages import OUTAGES

T = TypeVar("T")

Fetch = Sequence[int | tuple[str, int, int]]
"""Offsets of partition 0 of topic t, or topic, partition and offset."""


@dataclass(eq=False)
class Message:
    """What Faust hands over."""

    topic: str
    partition: int
    offset: int
    timestamp: float = 1.0
    value: bytes = b"value"
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Event:
    message: Message


@dataclass
class World(Log):
    """A log with the given offsets in its partition 0 of topic t, a tracking, and a stage that takes all at once."""

    offsets: list[int]
    ends_of: dict[Partition, int] = field(default_factory=dict)
    taken: list[int] = field(default_factory=list)
    sought: list[tuple[Partition, int]] = field(default_factory=list)
    asked: list[Partition] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    rejoined: int = 0
    while_asked: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.retry = Retry("Kafka", OUTAGES, longest=0)
        self.tracking = OffsetTracking(
            self, {"t": "test", "other": "other"}, self.retry, self.failures.append
        )

    async def next_offset(self, _: Partition, offset: int) -> int:
        self.while_asked()
        return next(other for other in self.offsets if other >= offset)

    async def holds(self, _: Partition, offset: int) -> bool:
        self.while_asked()
        return offset <= self.offsets[-1] + 1

    async def rejoin(self) -> None:
        self.rejoined += 1

    async def seek(self, partition: Partition, offset: int) -> None:
        self.sought.append((partition, offset))

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        self.asked += partitions
        return {partition: self.ends_of[partition] for partition in partitions}

    async def deliver(self, fetch: Fetch) -> list[Event]:
        """What leaves the consumer of a fetch."""

        async def fetched() -> AsyncIterator[tuple[Partition, Message]]:
            for item in fetch:
                topic, partition, offset = item if isinstance(item, tuple) else ("t", 0, item)
                yield (topic, partition), Message(topic, partition, offset)

        return [Event(message) async for _, message in self.tracking.in_order(fetched())]

    def take(self, events: Iterable[Event]) -> None:
        """A stage begins a batch."""
        self.taken += [record.offset for record in self.tracking.take(events)]

    def reads(self, *fetches: Fetch, first: int = 0) -> World:
        """Start, and take what each of these fetches delivers."""
        self.tracking.start({("t", 0): first})
        for fetch in fetches:
            self.take(run(self.deliver(fetch)))
        return self

    def stalled(self, fetches: int = 2) -> dict[Partition, int]:
        """Check for stalled partitions after `fetches` fetches that have brought nothing."""
        for _ in range(fetches):
            run(self.deliver([]))
        return run(self.tracking.stalled())


def run(work: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await work

    return asyncio.run(awaited())


def test_what_was_delivered_is_not_delivered_again() -> None:
    assert World([0, 1, 2, 3]).reads([0, 1], [0, 1, 2], [2, 3]).taken == [0, 1, 2, 3]


def test_a_record_that_was_left_out_is_read_again_and_never_stepped_over() -> None:
    world = World([0, 1, 2, 3, 4]).reads([0, 1, 3, 4], [3, 4], [2, 3, 4])
    assert world.taken == [0, 1, 2, 3, 4]
    assert world.sought == [(("t", 0), 2), (("t", 0), 2)]  # once a fetch


def test_behind_a_gap_the_other_partitions_go_on() -> None:
    world = World([0, 1])
    world.tracking.start({("t", 0): 0, ("t", 1): 7})
    events = run(world.deliver([("t", 0, 1), ("t", 1, 7), ("t", 1, 8)]))
    assert [event.message.offset for event in events] == [7, 8]


def test_a_gap_of_the_log_is_believed() -> None:
    world = World([0, 1, 5, 6]).reads([0, 1, 5], [6])
    assert world.taken == [0, 1, 5, 6]
    assert world.sought == []


def test_behind_a_gap_of_the_log_a_record_may_be_missing_too() -> None:
    world = World([0, 5, 6]).reads([0, 6], [5, 6])
    assert world.sought == [(("t", 0), 5)]
    assert world.taken == [0, 5, 6]


def test_the_first_record_too_must_be_the_one_that_is_due() -> None:
    assert World([0, 1, 2]).reads([2], first=1).taken == []
    assert World([5, 6]).reads([5, 6], first=1).taken == [5, 6]


def test_a_topic_that_was_created_anew_is_noticed_and_the_worker_joins_again() -> None:
    """Until it has partitions again nothing is delivered: what comes is of another log than what it knows."""
    world = World([0, 1, 2])
    world.tracking.start({("t", 0): 40, ("other", 0): 7})
    assert run(world.deliver([0, 1, 2, ("other", 0, 7)])) == []
    assert run(world.deliver([0, 1, 2])) == []
    assert world.rejoined == 1
    assert world.tracking.positions() == {}
    assert world.failures == []
    assert world.reads([0, 1, 2]).taken == [0, 1, 2]


def test_partitions_given_away_while_a_topic_is_looked_at_are_left_alone() -> None:
    world = World([0, 1, 2])
    world.tracking.start({("t", 0): 40})
    world.while_asked = lambda: world.tracking.start({("t", 0): 0})
    assert run(world.deliver([1])) == []
    assert world.rejoined == 0
    assert world.tracking.positions() == {("t", 0): 0}


def test_of_partitions_that_are_not_held_nothing_is_delivered() -> None:
    assert World([0]).reads([("t", 3, 0), ("other", 0, 0)]).taken == []
    world = World([0, 1]).reads([0])
    world.tracking.stop()
    assert run(world.deliver([1])) == []


def test_what_was_on_its_way_before_a_rebalance_is_dropped() -> None:
    world = World([0, 1, 2])
    world.tracking.start({("t", 0): 0})
    before = run(world.deliver([0, 1]))
    world.tracking.stop()
    world.take(before)
    world.tracking.start({("t", 0): 0})
    now = run(world.deliver([0, 1, 2]))
    world.take([*before, *now])
    assert world.taken == [0, 1, 2]


@pytest.mark.parametrize("log", [[0, 1, 2, 5], [0, 5]])
def test_partitions_given_away_while_the_log_is_asked_are_left_alone(log: list[int]) -> None:
    world = World(log)
    world.tracking.start({("t", 0): 0})
    world.while_asked = world.tracking.stop
    assert [event.message.offset for event in run(world.deliver([0, 5, 6]))] == [0]
    assert world.sought == []
    assert world.tracking.positions() == {}


def test_a_record_that_gets_lost_on_its_way_to_the_stage_is_noticed() -> None:
    world = World([0, 1, 2])
    world.tracking.start({("t", 0): 0})
    lost, *others = run(world.deliver([0, 1, 2]))
    with pytest.raises(RecordsLost, match="offset 1 came"):
        world.take(others)
    assert lost.message.offset not in world.taken


@given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=12))
def test_whatever_is_fetched_each_record_is_taken_once_and_in_order(fetches: list[list[int]]) -> None:
    world = World(list(range(13))).reads(*fetches)
    assert world.taken == list(range(len(world.taken)))


def test_records_that_do_not_come_are_found_by_the_second_look() -> None:
    world = World([], {("t", 0): 3, ("t", 1): 9})
    world.tracking.start({("t", 0): 3, ("t", 1): 5})
    assert world.stalled() == {}
    run(world.deliver([]))
    run(world.deliver([]))
    run(world.tracking.go_back_to_stalled())
    assert world.sought == [(("t", 1), 5)]


def test_while_a_single_fetch_is_handed_out_nothing_is_stalled() -> None:
    world = World([], {("t", 0): 9})
    world.tracking.start({("t", 0): 5})
    world.stalled()
    assert world.stalled(fetches=0) == {}
    assert world.stalled(fetches=1) == {}
    assert world.asked == []
    assert world.stalled(fetches=1) == {("t", 0): 5}


def test_a_topic_that_moves_is_not_asked_about() -> None:
    world = World([], {("t", 0): 100, ("t", 1): 100})
    world.tracking.start({("t", 0): 0, ("t", 1): 0})
    world.stalled()
    world.take(run(world.deliver([0])))
    assert world.stalled() == {}
    assert world.asked == []


def test_a_topic_whose_stage_has_not_taken_all_is_not_asked_about() -> None:
    world = World([], {("t", 0): 100, ("t", 1): 100})
    world.tracking.start({("t", 0): 0, ("t", 1): 0})
    events = run(world.deliver([0]))
    world.stalled()
    assert world.stalled() == {}
    assert world.asked == []
    world.take(events)
    assert world.stalled() == {("t", 0): 1, ("t", 1): 0}


def test_other_topics_do_not_matter() -> None:
    world = World([], {("other", 0): 9, ("t", 0): 9})
    world.tracking.start({("other", 0): 0, ("t", 0): 0})
    world.stalled()
    run(world.deliver([("other", 0, 0)]))
    assert world.stalled() == {("t", 0): 0}


def test_the_mark_of_a_transaction_is_gone_back_to_once() -> None:
    world = World([], {("t", 0): 8})
    world.tracking.start({("t", 0): 7})
    world.stalled()
    assert world.stalled() == {("t", 0): 7}
    assert world.stalled() == {}
    world.ends_of["t", 0] = 12
    assert world.stalled() == {("t", 0): 7}


def test_what_is_new_to_the_worker_gets_its_time() -> None:
    world = World([], {("t", 0): 8})
    world.stalled()
    world.tracking.start({("t", 0): 2})
    assert world.stalled() == {}


class TestKafkaIsOutOfReach:
    @pytest.mark.parametrize("error", [KafkaConnectionError("away"), TimeoutError(), NodeNotReadyError()])
    def test_the_log_is_asked_until_it_answers(self, error: Exception) -> None:
        away = iter([error, error])
        waited: list[bool] = []

        def fail_twice() -> None:
            waited.append(world.retry.is_waiting)
            if (failure := next(away, None)) is not None:
                raise failure

        world = World([0, 3], while_asked=fail_twice)
        world.reads([0, 3])
        assert world.taken == [0, 3]
        assert world.failures == []
        assert waited == [False, True, True]
        assert not world.retry.is_waiting

    def test_a_refusal_ends_the_process(self) -> None:
        def refuse() -> None:
            raise TopicAuthorizationFailedError("t")

        world = World([0, 3], while_asked=refuse)
        with pytest.raises(TopicAuthorizationFailedError):
            world.reads([0, 3])
        assert [type(failure) for failure in world.failures] == [TopicAuthorizationFailedError]

    def test_asking_ends_when_the_partitions_are_revoked(self) -> None:
        world = World([0, 3])

        def revoked() -> None:
            world.tracking.stop()
            raise KafkaConnectionError("away")

        world.while_asked = revoked
        assert world.reads([0, 3]).taken == []
        assert world.failures == []
