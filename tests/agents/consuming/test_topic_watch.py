"""Topics that are missing, created anew, of another number of partitions, or read by nobody."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from spanloom.agents.consuming.records import Partition
from spanloom.agents.consuming.topic_watch import PATIENCE, TopicCreatedAnew, TopicWatch
from spanloom.kafka.differences import Topic
from spanloom.kafka.topic_ids import ExistingTopic
from spanloom.kafka.topics import TopicError

TOPICS = (
    Topic("source", 2, any_partitions=True),
    Topic("facts", 2),
    Topic("changelog", 2),
    Topic("letters", 1),
)
THERE = {topic.name: ExistingTopic(f"id of {topic.name}", topic.partitions) for topic in TOPICS}
READ = ("source", "facts")
BEGAN_WITH = {name: THERE[name] for name in ("source", "facts", "changelog")}
ASSIGNED = {(name, number) for name in READ for number in range(2)}


def without(*names: str) -> dict[str, ExistingTopic]:
    return {name: topic for name, topic in THERE.items() if name not in names}


def watch() -> TopicWatch:
    return TopicWatch(TOPICS, READ)


def look(
    one: TopicWatch,
    found: dict[str, ExistingTopic] | None = None,
    assigned: Iterable[Partition] | None = ASSIGNED,
) -> tuple[bool, bool]:
    one.look(THERE if found is None else found, BEGAN_WITH, None if assigned is None else frozenset(assigned))
    return one.all_there, one.all_read


def test_all_is_well() -> None:
    assert look(watch()) == (True, True)


@pytest.mark.parametrize("name", THERE)
def test_a_missing_topic_is_waited_for_and_said_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    one = watch()
    assert look(one, without(name)) == (False, True)
    assert look(one, without(name)) == (False, True)
    assert [record.message for record in caplog.records] == [
        f"topic {name} does not exist any more: nothing is read or written there until it does (`spanloom topics`)"
    ]
    assert look(one) == (True, True)  # the same one: a broker had not heard of it yet


@pytest.mark.parametrize("name", BEGAN_WITH)
def test_a_topic_with_another_id_is_another_topic(name: str, caplog: pytest.LogCaptureFixture) -> None:
    one = watch()
    found = {**THERE, name: ExistingTopic("another", 2)}
    assert one.look(found, BEGAN_WITH, ASSIGNED)
    assert one.look(found, BEGAN_WITH, ASSIGNED)
    assert not one.look(found, {**BEGAN_WITH, name: found[name]}, ASSIGNED)  # the group has begun anew
    assert [record.message for record in caplog.records] == [
        f"topic {name} was deleted and created anew: joining the group again"
    ]


def test_where_joining_again_does_not_help_the_worker_stops() -> None:
    one = watch()
    found = {**THERE, "facts": ExistingTopic("another", 2)}
    for _ in range(PATIENCE):
        one.look(found, BEGAN_WITH, ASSIGNED)
    with pytest.raises(TopicCreatedAnew, match="topic facts"):
        one.look(found, BEGAN_WITH, ASSIGNED)


def test_dead_letters_are_never_read_so_another_topic_is_as_good() -> None:
    assert look(watch(), {**THERE, "letters": ExistingTopic("another", 1)}) == (True, True)


def test_where_the_broker_knows_no_ids_a_topic_that_was_missing_is_another_one() -> None:
    without_ids = {name: ExistingTopic("", topic.partitions) for name, topic in THERE.items()}
    one = watch()
    missing = {name: without_ids[name] for name in ("source", "changelog", "letters")}
    assert not one.look(without_ids, without_ids, ASSIGNED)
    assert not one.look(missing, without_ids, ASSIGNED)
    assert one.look(without_ids, without_ids, ASSIGNED)


def test_brokers_that_begin_to_know_ids_change_nothing() -> None:
    one = watch()
    one.look(THERE, {name: ExistingTopic("", topic.partitions) for name, topic in BEGAN_WITH.items()}, None)
    assert one.all_there


@pytest.mark.parametrize("name", ["facts", "changelog", "letters"])
def test_another_number_of_partitions_is_an_error(name: str) -> None:
    with pytest.raises(TopicError, match=f"topic {name} has 5 partitions"):
        look(watch(), {**THERE, name: THERE[name]._replace(partitions=5)})


def test_the_source_may_have_any_number_of_partitions_once_they_are_shared_out() -> None:
    one = watch()
    found = {**THERE, "source": THERE["source"]._replace(partitions=3)}
    assert look(one, found) == (True, True)  # the group has not had the time
    assert look(one, found) == (True, False)
    assert look(one, found, [*ASSIGNED, ("source", 2)]) == (True, True)


def test_a_partition_without_a_worker_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    one = watch()
    nobody = [partition for partition in ASSIGNED if partition[0] != "source"]
    for _ in range(3):
        look(one, assigned=nobody)
    assert [record.message for record in caplog.records] == [
        "no worker of the group has source 0, source 1: what they hold is not read"
    ]
    assert not one.all_read


def test_a_partition_that_stays_without_a_worker_is_asked_for_less_and_less_often() -> None:
    """The leader may be a static member that was started again, and does not know that it leads."""
    one = watch()
    nobody = [partition for partition in ASSIGNED if partition[0] != "source"]
    assert [number for number in range(1, 20) if one.look(THERE, BEGAN_WITH, nobody)] == [3, 5, 9, 17]
    assert not one.look(THERE, BEGAN_WITH, ASSIGNED)
    assert [one.look(THERE, BEGAN_WITH, nobody) for _ in range(3)] == [False, False, True]


def test_while_the_group_shares_out_nothing_is_judged() -> None:
    one = watch()
    look(one, assigned=[])
    assert look(one, assigned=None) == (True, True)
    assert look(one, assigned=[]) == (True, False)
    assert look(one, assigned=None) == (True, False)
    assert look(one) == (True, True)


def test_a_missing_topic_has_no_partitions_that_somebody_must_read() -> None:
    one = watch()
    nobody = [partition for partition in ASSIGNED if partition[0] != "source"]
    for _ in range(3):
        assert look(one, without("source"), nobody) == (False, True)
