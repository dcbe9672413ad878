"""A log, its topics and a worker, as the tests of the assignment have them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from spanloom.agents.consuming.assignment import Assignment
from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import Changelog
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

    def take_on(self, lost: State, /) -> list[tuple[bytes, bytes | None]]:
        self.steps.append(f"took on {len(lost.values)}")
        return [(b"true", b"of it")]

    def remember(self, lost: State, /) -> None:
        self.steps.append(f"remembers {len(lost.values)}")


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
    kept: set[int] = field(default_factory=set)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.states = Changelog("changelog", State, stays_true=lambda key: key == b"true")
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

    @property
    def wanted(self) -> set[Partition]:
        """The changelogs that are to be read."""
        numbers = {number for topic, number in self.held if topic == "facts"}
        return {("changelog", number) for number in numbers - self.kept}

    async def keys(self, partition: Partition) -> list[bytes]:
        assert partition[0] == "changelog"
        return list(dict.fromkeys(key for key, _ in self.changelog))

    async def read(self, partitions: Collection[Partition], take: Take) -> dict[Partition, int]:
        assert not self.batches.accepted
        assert self.offsets.positions() == {}
        self.steps.append("read")
        take(("changelog", 0), [Read(*record) for record in self.changelog])
        self.reading.set()
        if self.goes_on is not None:
            await self.goes_on.wait()
        if self.failures:
            raise self.failures.pop()
        assert set(partitions) == self.wanted
        return dict.fromkeys(partitions, len(self.changelog))

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
    return asyncio.run(world.assignment.take_over(Consumer(world), 1))


async def rebalance(world: World, held: set[Partition], generation: int) -> bool:
    """Give everything back, and take this over in that generation of the group."""
    await world.assignment.give_back("giving partitions back")
    assert world.states.states() == {}
    world.held = held
    return await world.assignment.take_over(Consumer(world), generation)
