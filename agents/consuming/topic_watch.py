"""Whether the topics are there, are those that reading began with, and are read.

A consumer notices little of that. Of a topic that is deleted its partitions leave the assignment, and all that is left
goes on. Of one that is created anew between two looks at the metadata it reads on at the old offset, as soon as there
is one; only where the new topic is still shorter is something repeated, which `OffsetTracking` notices. So the topics
are asked about by their IDs. Nor does a group surely notice new partitions: its leader looks for them, but one that is
a static member and was started again does not know that it leads (aiokafka asks as before Kafka's KIP-814).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from spanloom.agents.consuming.records import Partition
from spanloom.kafka.differences import Topic
from spanloom.kafka.topic_ids import ExistingTopic, differ
from spanloom.kafka.topics import check_partitions

logger = logging.getLogger("spanloom.worker")


PATIENCE = 6
"""Looks that a topic which was created anew may take to be read from its beginning."""


class TopicCreatedAnew(Exception):
    """A topic was deleted and created anew under a running worker, and the group has not begun with the new one. What
    the worker knows is of the old one."""


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
        self._created_anew = 0  # looks in a row
        self._unread: tuple[Partition, ...] = ()
        self._looks_unread = 0  # at which a partition was unread that had been so before
        self.all_there = True
        """Whether every topic is there."""
        self.all_read = True
        """Whether every partition that is to be read is assigned to a worker, this one or another."""

    def look(
        self,
        found: Mapping[str, ExistingTopic],
        began_with: Mapping[str, ExistingTopic],
        assigned: Collection[Partition] | None,
    ) -> bool:
        """Take the result of a look. Returns whether the group has to share out its partitions anew, because a topic
        is not the one with which reading began, or because nobody reads a partition and its leader does not see that.

        Args:
            found: the topics that are there.
            began_with: the topics as they were when reading began; empty while it has not.
            assigned: the partitions that the members of the group have; None while they are being assigned.

        Raises:
            TopicCreatedAnew: that has not helped.
            TopicError: one has a number of partitions that it must not have.
        """
        for wanted in self._topics:
            if wanted.name in found:
                check_partitions(wanted, found[wanted.name].partitions)
        anew = self._are_created_anew(found, began_with)
        self._note_missing(tuple(topic.name for topic in self._topics if topic.name not in found))
        if assigned is not None:
            wanted_partitions = {
                (name, number)
                for name in self._read
                if name in found
                for number in range(found[name].partitions)
            }
            self._note_unread(tuple(sorted(wanted_partitions.difference(assigned))))
            return anew or self._leader_does_not_see()
        return anew

    def _are_created_anew(
        self, found: Mapping[str, ExistingTopic], began_with: Mapping[str, ExistingTopic]
    ) -> bool:
        # Where no IDs tell, a topic that was missing at the last look is another one.
        anew = [
            name
            for name, topic in began_with.items()
            if name in found
            and (
                differ(found[name].id, topic.id)
                or (not (topic.id and found[name].id) and name in self._missing)
            )
        ]
        self._created_anew = self._created_anew + 1 if anew else 0
        if self._created_anew > PATIENCE:
            raise TopicCreatedAnew(f"topic {', '.join(anew)} was deleted and created anew, and is not read")
        if self._created_anew == 1:
            logger.warning("topic %s was deleted and created anew: joining the group again", ", ".join(anew))
        return bool(anew)

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
        self._looks_unread = self._looks_unread + 1 if lasting else 0
        self.all_read = not lasting

    def _leader_does_not_see(self) -> bool:
        """Not at once, for the leader may be about to see it; and less and less often where it does not help."""
        return self._looks_unread > 1 and self._looks_unread.bit_count() == 1
