"""Who gets which partitions: as even as can be, topic by topic, and whoever holds one keeps it where that allows.

aiokafka's sticky assignor evens out the partitions of all topics together; one worker might then get all those of the
source topic, whose stage has by far the most to do.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

Held = Mapping[str, Collection[int]]
"""The partitions of a member by topic."""


class StickyAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """The assignor of one consumer: it tells the group's leader what the consumer held last.

    Its name is that of Kafka's round robin: Kafka lets only members into a group that have a name in common (and
    aiokafka joins once for each that it offers), so workers of a version that deals partitions out in turn can be in
    one group with this one during an upgrade. Whose member leads decides, and either understands what the other's
    members send.
    """

    name = "roundrobin"
    version = 0

    def __init__(self) -> None:
        self._held: Held = {}

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Return what the leader has to know of this consumer."""
        return ConsumerProtocolMemberMetadata(self.version, sorted(topics), json.dumps(self._held).encode())

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Note what this consumer has got."""
        self._held = {topic: list(partitions) for topic, partitions in assignment.assignment}

    def assign(
        self, cluster: Any, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Return what each member gets, as the leader of the group."""
        held = {member: _held(metadata.user_data) for member, metadata in members.items()}
        given: dict[str, dict[str, list[int]]] = {member: {} for member in members}
        for topic in sorted({topic for metadata in members.values() for topic in metadata.subscription}):
            takers = [member for member, metadata in members.items() if topic in metadata.subscription]
            dealt = deal(
                sorted(cluster.partitions_for_topic(topic) or ()),
                {member: held[member].get(topic, ()) for member in takers},
                {member: sum(map(len, given[member].values())) for member in takers},
            )
            for member, partitions in dealt.items():
                given[member][topic] = partitions
        return {
            member: ConsumerProtocolMemberAssignment(
                self.version,
                [(topic, partitions) for topic, partitions in topics.items() if partitions],
                b"",
            )
            for member, topics in given.items()
        }


def deal(
    partitions: Sequence[int], held: Mapping[str, Collection[int]], load: Mapping[str, int]
) -> dict[str, list[int]]:
    """Return which partitions of a topic each member gets; their numbers differ by one at most.

    Args:
        partitions: all of the topic's.
        held: by member, what it held last.
        load: by member, how many partitions of other topics it gets. Who gets one more than others is one of those that
            get the fewest, and among them one that held more.
    """
    if not held:
        return {}
    each, more = divmod(len(partitions), len(held))
    in_turn = sorted(held, key=lambda member: (load[member], -len(held[member]), member))
    room = {member: each + (place < more) for place, member in enumerate(in_turn)}
    dealt: dict[str, list[int]] = {member: [] for member in held}
    free = []
    for partition in partitions:
        for member in in_turn:
            if partition in held[member] and len(dealt[member]) < room[member]:
                dealt[member].append(partition)
                break
        else:
            free.append(partition)
    for member in in_turn:
        while len(dealt[member]) < room[member]:
            dealt[member].append(free.pop(0))
    return {member: sorted(some) for member, some in dealt.items()}


def _held(user_data: bytes) -> Held:
    """Read what a member says that it held; nothing where it does not say so in our words."""
    try:
        said = json.loads(user_data or b"{}")
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {topic: some for topic, some in said.items() if isinstance(some, list)}
