"""Topics and changelogs that were created anew are noticed when partitions are taken over."""

from __future__ import annotations

import asyncio

import pytest

from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import BEGINS_ANEW
from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.kafka.producer import Appended, Record
from tests.agents.consuming.world import (
    CLOCK,
    IDS,
    OURS,
    Consumer,
    World,
    take_over,
)


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
    assert world.states[0].steps == (["restored"] if believed else ["remembers 3", "restored"])
    tombstones = [("changelog", Record(0, key, None)) for key in (b"a", b"b", b"clock")]
    mark = ("changelog", Record(0, BEGINS_ANEW, b"anew"))
    assert world.produced == ([] if believed else [mark, *tombstones])


def test_of_a_part_what_it_says_is_remembered() -> None:
    world = World([(b"a", b"1"), (b"true", b"2"), CLOCK])
    world.committed["facts", 0] = None
    assert take_over(world)
    assert world.states[0].steps == ["remembers 3", "restored"]
    assert [record.key for _, record in world.produced] == [BEGINS_ANEW, b"a", b"clock"]


def test_what_stands_before_the_mark_of_a_beginning_is_no_part_of_the_state() -> None:
    """Not even its clock, by which the state would have been kept since then."""
    world = World([(b"a", b"1"), CLOCK, (b"a", None), (b"clock", None), (BEGINS_ANEW, b"anew"), (b"b", b"2")])
    assert take_over(world)
    assert world.states[0].values == {b"b": b"2"}
    assert world.states[0].applied == 1
    assert world.states[0].steps == ["remembers 0", "restored"]


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
        assert await world.assignment.take_over(Consumer(world), 1)
        assert world.states[0].values
        assert world.acknowledged == {}
        world.topic_ids |= {"spans": "new", "changelog": "new, too"}
        assert await world.assignment.take_over(Consumer(world), 1)
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
        assert await world.assignment.take_over(Consumer(world), 1)
        world.topic_ids["facts"] = "created anew"
        assert world.assignment.ids() == {"spans": TopicIds("a1", ""), "facts": OURS}
        assert await world.assignment.take_over(Consumer(world), 1)
        assert world.assignment.ids()["facts"].topic == "created anew"

    asyncio.run(scenario())


def test_a_changelog_that_another_worker_has_written_to_is_emptied_and_begins_anew() -> None:
    """The mark is written first: cut off behind it, what stands before it counts no more."""

    async def scenario() -> None:
        world = World([(b"a", b"1"), CLOCK])
        await world.assignment.take_over(Consumer(world), 1)
        end = len(world.changelog)
        await world.assignment.follow("changelog", [Appended(0, end, 2)])
        assert world.produced == []
        before = world.states[0]
        world.changelog += [(b"b", b"2"), CLOCK, (b"a", None), (b"b", b"3")]
        world.batches = Batches()
        await world.assignment.follow("changelog", [Appended(0, end + 3, 1)])
        mark = Record(0, BEGINS_ANEW, b"anew")
        assert world.produced == [
            ("changelog", record)
            for record in (
                Record(0, b"true", b"of it"),
                mark,
                *(Record(0, key, None) for key in (b"a", b"clock", b"b")),
            )
        ]
        assert world.states[0] is not before
        assert world.states[0].steps == ["restored", "took on 2"]
        assert world.states[1].steps == ["restored"]

    asyncio.run(scenario())
