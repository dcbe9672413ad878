"""Partitions are taken over with their state, and given back without leaving any."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, UnknownTopicOrPartitionError

from spanloom.agents.consuming.assignment import Assignment
from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import BEGINS_ANEW, Changelog
from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log, Take
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.consuming.records import Partition
from spanloom.agents.retry import Retry
from spanloom.kafka.outages import OUTAGES
from spanloom.kafka.producer import Record
from spanloom.kafka.topic_ids import ExistingTopic

CLOCK = (b"clock", b"now")
IDS = {"spans": "a1", "facts": "b2", "changelog": "c3"}
OURS = TopicIds("b2", "c3")
COMMITTED: dict[Partition, Committed | None] = {
    ("facts", 0): Committed(0, OURS),
    ("facts", 1): Committed(5, OURS),
}


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
    committed: dict[Partition, Committed | None] = field(default_factory=lambda: dict(COMMITTED))
    topic_ids: dict[str, str] = field(default_factory=lambda: dict(IDS))
    acknowledged: dict[Partition, Committed] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """At each look at the topics, from the last on, one that is not there."""
    produced: list[tuple[str, Record]] = field(default_factory=list)
    held: set[Partition] = field(default_factory=lambda: {("spans", 0), ("facts", 0), ("facts", 1)})
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.states = Changelog("changelog", State)
        retry = Retry("Kafka", OUTAGES, longest=0)
        self.offsets = OffsetTracking(self, {}, retry, self._fail)
        self.batches = Batches()
        self.assignment = Assignment(
            self,
            ["spans", "facts"],
            {"facts": self.states},
            self.offsets,
            self.batches,
            produce=self._produce,
            retry=retry,
            deadline=0,
        )

    async def topics(self, names: Collection[str]) -> dict[str, ExistingTopic]:
        self.steps.append("topics")
        assert set(names) == set(IDS)
        missing = self.missing.pop() if self.missing else ""
        return {name: ExistingTopic(self.topic_ids[name], 2) for name in names if name != missing}

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

    async def first_offsets(
        self, committed: Mapping[Partition, Committed | None], ids: Mapping[str, TopicIds]
    ) -> dict[Partition, int]:
        assert not self.batches.accepted
        assert ids == self.assignment.ids()
        self.steps.append("first offsets")
        return {partition: found.offset if found else 0 for partition, found in committed.items()}

    async def _produce(self, topic: str, records: Sequence[Record]) -> None:
        assert not self.batches.accepted
        self.produced += [(topic, record) for record in records]

    def _fail(self, error: BaseException) -> None:
        raise error


@dataclass
class Consumer:
    world: World

    def assignment(self) -> set[Partition]:
        return self.world.held

    def stop_flow(self) -> None:
        self.world.steps.append("flow stopped")

    async def committed(self) -> Mapping[Partition, Committed | None]:
        self.world.steps.append("committed")
        return {partition: self.world.committed.get(partition) for partition in self.world.held}

    async def acknowledge(self, offsets: Mapping[Partition, int], ids: Mapping[str, TopicIds]) -> None:
        assert not self.world.batches.accepted
        self.world.acknowledged |= {
            partition: Committed(offset, ids[partition[0]]) for partition, offset in offsets.items()
        }


def take_over(world: World) -> bool:
    return asyncio.run(world.assignment.take_over(Consumer(world)))


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


@pytest.mark.parametrize(
    ("committed", "believed"),
    [
        (Committed(3, OURS), True),
        (Committed(3, TopicIds("b2", "another")), False),  # written by a worker that had not noticed
        (None, False),  # the checkpoint that wrote it never came to its end, or the topic is new, too
        (Committed(3, TopicIds("", "")), True),  # by an older version, or by an operator
    ],
)
def test_a_changelog_that_holds_a_part_only_is_emptied(committed: Committed | None, believed: bool) -> None:
    world = World([(b"a", b"1"), (b"b", b"2"), CLOCK, (b"a", b"3"), CLOCK])
    world.committed["facts", 0] = committed
    assert take_over(world)
    assert bool(world.states[0].values) is believed
    assert world.states[0].steps == ["restored"]
    tombstones = [("changelog", Record(0, key, None)) for key in (b"a", b"b", b"clock")]
    mark = ("changelog", Record(0, BEGINS_ANEW, b"anew"))
    assert world.produced == ([] if believed else [*tombstones, mark])


def test_what_stands_before_the_mark_of_a_beginning_is_no_part_of_the_state() -> None:
    """Not even its clock, by which the state would have been kept since then."""
    world = World([(b"a", b"1"), CLOCK, (b"a", None), (b"clock", None), (BEGINS_ANEW, b"anew"), (b"b", b"2")])
    assert take_over(world)
    assert world.states[0].values == {b"b": b"2"}
    assert world.states[0].applied == 1
    assert world.states[0].steps == ["restored"]


def test_an_offset_of_a_topic_that_is_gone_is_replaced_by_where_reading_begins() -> None:
    world = World([CLOCK])
    world.committed["facts", 0] = Committed(3, TopicIds("another", "c3"))
    world.committed["facts", 1] = Committed(5, TopicIds("b2", "another"))
    assert take_over(world)
    assert world.acknowledged == {("facts", 0): Committed(3, OURS), ("facts", 1): Committed(5, OURS)}


def test_where_offsets_come_without_ids_they_are_of_what_this_worker_read_last(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The local broker gives back the offset alone."""

    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        world.committed = {partition: Committed(3, TopicIds("", "")) for partition in world.held}
        assert await world.assignment.take_over(Consumer(world))
        assert world.states[0].values
        assert world.acknowledged == {}
        world.topic_ids |= {"spans": "new", "changelog": "new, too"}
        assert await world.assignment.take_over(Consumer(world))
        assert [record.message for record in caplog.records if "deleted" in record.message] == [
            f"topic {name} was deleted and created anew: beginning anew with it"
            for name in ("changelog", "spans")
        ]
        assert not world.states[0].values
        assert world.acknowledged == {
            ("spans", 0): Committed(3, TopicIds("new", "")),
            ("facts", 0): Committed(3, TopicIds("b2", "new, too")),
            ("facts", 1): Committed(3, TopicIds("b2", "new, too")),
        }

    asyncio.run(scenario())


def test_without_ids_a_changelog_is_believed() -> None:
    world = World([(b"a", b"1"), CLOCK], topic_ids=dict.fromkeys(IDS, ""))
    world.committed["facts", 0] = None
    assert take_over(world)
    assert world.states[0].values
    assert world.produced == []


def test_offsets_are_committed_with_the_ids_that_reading_began_with() -> None:
    async def scenario() -> None:
        world = World([CLOCK])
        assert await world.assignment.take_over(Consumer(world))
        world.topic_ids["facts"] = "created anew"
        assert world.assignment.ids() == {"spans": TopicIds("a1", ""), "facts": OURS}
        assert await world.assignment.take_over(Consumer(world))
        assert world.assignment.ids()["facts"].topic == "created anew"

    asyncio.run(scenario())


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
