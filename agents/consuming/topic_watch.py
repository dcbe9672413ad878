"""Whether the topics are there, are those that reading began with, and are read.

A consumer notices little of that. Of a topic that is deleted its partitions leave the assignment, and all that is left
goes on. Of one that is created anew between two looks at the metadata it reads on at the old offset, as soon as there
is one; only where the new topic is still shorter is something repeated, which `OffsetTracking` notices. So the topics
are asked about by their IDs.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from spanloom.agents.consuming.records import Partition
from spanloom.kafka.topic_ids import ExistingTopic, differ
from spanloom.kafka.topics import Topic, check_partitions

logger = logging.getLogger("spanloom.worker")


class TopicCreatedAnew(Exception):
    """A topic was deleted and created anew under a running worker. What it knows is of the old one."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} was deleted and created anew: the worker must start again")


class TopicWatch:
    """Judges what looks at the topics have shown.

    Args:
        topics: all that must be there.
        read: the names of those that the group reads.
    """

    def __init__(self, topics: Sequence[Topic], read: Collection[str]) -> None:
        self.names = [topic.name for topic in topics]
        self._topics = topics
        self._read = read
        self._missing: tuple[str, ...] = ()
        self._unread: tuple[Partition, ...] = ()
        self.all_there = True
        """Whether every topic is there."""
        self.all_read = True
        """Whether every partition that is to be read is assigned to a worker, this one or another."""

    def look(
        self,
        found: Mapping[str, ExistingTopic],
        began_with: Mapping[str, ExistingTopic],
        assigned: Collection[Partition] | None,
    ) -> None:
        """Take the result of a look.

        Args:
            found: the topics that are there.
            began_with: the topics as they were when reading began; empty while it has not.
            assigned: the partitions that the members of the group have; None while they are being assigned.

        Raises:
            TopicCreatedAnew: a topic is not the one with which reading began.
            TopicError: one has a number of partitions that it must not have.
        """
        for name, topic in began_with.items():
            if name not in found:
                continue
            # Where no IDs tell, a topic that was missing at the last look is another one.
            without_ids = not (topic.id and found[name].id)
            if differ(found[name].id, topic.id) or (without_ids and name in self._missing):
                raise TopicCreatedAnew(name)
        for wanted in self._topics:
            if wanted.name in found:
                check_partitions(wanted, found[wanted.name].partitions)
        self._note_missing(tuple(topic.name for topic in self._topics if topic.name not in found))
        if assigned is not None:
            wanted_partitions = {
                (name, number)
                for name in self._read
                if name in found
                for number in range(found[name].partitions)
            }
            self._note_unread(tuple(sorted(wanted_partitions.difference(assigned))))

    def _note_missing(self, missing: tuple[str, ...]) -> None:
        if missing and missing != self._missing:
            logger.error(
                "topic %s does not exist any more: nothing is read or written there until it does (`spanloom topics`)",
                ", ".join(missing),
            )
        elif self._missing and not missing:
            logger.warning("all topics are there again")
        self._missing = missing
        self.all_there = not missing

    def _note_unread(self, unread: tuple[Partition, ...]) -> None:
        """A new partition is unread until the group has shared it out: only the second look in a row counts."""
        lasting = tuple(partition for partition in unread if partition in self._unread)
        if lasting and self.all_read:
            logger.error(
                "no worker of the group has %s: what they hold is not read",
                ", ".join(f"{topic} {number}" for topic, number in lasting),
            )
        elif not unread and not self.all_read:
            logger.warning("every partition has a worker again")
        self._unread = unread
        self.all_read = not lasting
