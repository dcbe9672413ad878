"""Partitions are dealt out evenly, each once, and stay where they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.consuming.membership.assignor import StickyAssignor, deal

TOPICS = ("spans", "span-facts", "trace-facts")

MEMBERS = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=8, unique=True)
CLAIMS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.frozensets(st.integers(0, 20)), min_size=1
)


@dataclass
class Cluster:
    partitions: int

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.partitions)) if topic in TOPICS else None


class Group:
    """A group in which somebody leads, and everybody hears what it got, over the wire."""

    def __init__(self, partitions: int) -> None:
        self.cluster = Cluster(partitions)
        self.members: dict[str, StickyAssignor] = {}

    def rebalance(self, names: Collection[str]) -> dict[str, set[tuple[str, int]]]:
        """What each has once these are the members."""
        self.members = {name: self.members.get(name) or StickyAssignor() for name in names}
        said = {
            name: ConsumerProtocolMemberMetadata.decode(one.metadata(set(TOPICS)).encode())
            for name, one in self.members.items()
        }
        dealt = next(iter(self.members.values())).assign(self.cluster, said)
        got = {}
        for name, assignment in dealt.items():
            heard = ConsumerProtocolMemberAssignment.decode(assignment.encode())
            self.members[name].on_assignment(heard)
            got[name] = {(tp.topic, tp.partition) for tp in heard.partitions()}
        return got


def sizes(got: Mapping[str, set[tuple[str, int]]], topic: str) -> list[int]:
    return [sum(1 for each, _ in some if each == topic) for some in got.values()]


@given(st.integers(0, 20), st.lists(MEMBERS, min_size=1, max_size=4))
def test_every_partition_is_given_once_and_evenly_of_each_topic_and_of_all(
    partitions: int, history: list[list[str]]
) -> None:
    group = Group(partitions)
    for names in history:
        got = group.rebalance(names)
        every = sorted(each for some in got.values() for each in some)
        assert every == sorted((topic, number) for topic in TOPICS for number in range(partitions))
        for topic in TOPICS:
            assert max(sizes(got, topic)) - min(sizes(got, topic)) <= 1
        totals = [len(some) for some in got.values()]
        assert max(totals) - min(totals) <= 1


@given(st.integers(0, 20), MEMBERS)
def test_nothing_moves_while_the_members_stay(partitions: int, names: list[str]) -> None:
    group = Group(partitions)
    before = group.rebalance(names)
    assert group.rebalance(names[::-1]) == before


@given(st.integers(0, 20), CLAIMS)
def test_whatever_is_claimed_each_is_given_once(partitions: int, claims: dict[str, frozenset[int]]) -> None:
    dealt = deal(range(partitions), claims, dict.fromkeys(claims, 0))
    assert sorted(each for some in dealt.values() for each in some) == list(range(partitions))
    assert dealt.keys() == claims.keys()


@given(st.integers(0, 20), MEMBERS.filter(lambda names: len(names) > 1))
def test_when_one_goes_the_others_keep_what_they_have_of_a_topic(partitions: int, names: list[str]) -> None:
    before = deal(range(partitions), dict.fromkeys(names, ()), dict.fromkeys(names, 0))
    after = deal(range(partitions), {name: before[name] for name in names[1:]}, dict.fromkeys(names, 0))
    assert all(set(before[name]) <= set(after[name]) for name in names[1:])


@given(st.integers(0, 20), MEMBERS.filter(lambda names: len(names) > 1))
def test_when_one_comes_only_it_gets_something_new_of_a_topic(partitions: int, names: list[str]) -> None:
    before = deal(range(partitions), dict.fromkeys(names[1:], ()), dict.fromkeys(names, 0))
    after = deal(range(partitions), {names[0]: (), **before}, dict.fromkeys(names, 0))
    assert all(set(after[name]) <= set(before[name]) for name in names[1:])


@pytest.mark.parametrize("said", [b"", b"\xff", b"[1]", b'{"spans": 1}', b'{"spans": ["a"]}'])
def test_a_member_that_says_nothing_we_know_gets_its_part(said: bytes) -> None:
    members = {
        name: ConsumerProtocolMemberMetadata(0, list(TOPICS), data)
        for name, data in (("a", said), ("b", b""))
    }
    dealt = StickyAssignor().assign(Cluster(4), members)
    assert {name: len(some.partitions()) for name, some in dealt.items()} == {"a": 6, "b": 6}


def test_a_leader_that_deals_out_in_turn_understands_our_members() -> None:
    ours = StickyAssignor()
    assert ours.name == RoundRobinPartitionAssignor.name
    assert ours.version == RoundRobinPartitionAssignor.version
    said = {"a": ours.metadata(TOPICS), "b": RoundRobinPartitionAssignor.metadata(TOPICS)}
    dealt = RoundRobinPartitionAssignor.assign(Cluster(4), said)
    ours.on_assignment(dealt["a"])
    assert len(dealt["a"].partitions()) == 6
