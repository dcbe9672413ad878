"""A committed offset, and of which topic it is.

An offset alone does not tell: in a topic that was deleted and created anew the same offset is another record, and what
lies before it was never read. Nor does a changelog that was created anew tell what was in the old one. So an offset is
committed together with the IDs that both topics had when reading began.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from spanloom.kafka.topic_ids import differ

_METADATA = re.compile(r"spanloom topic=([0-9a-f]*) changelog=([0-9a-f]*)")


class TopicIds(NamedTuple):
    """The ID of the topic that a stage reads, and of the stage's changelog; empty where it has none, or where the
    broker knows no IDs."""

    topic: str
    changelog: str

    def metadata(self) -> str:
        """Return what is committed together with an offset."""
        return f"spanloom topic={self.topic} changelog={self.changelog}"


class Committed(NamedTuple):
    """The offset of the next record to be read, as committed."""

    offset: int
    ids: TopicIds

    @classmethod
    def of(cls, offset: int, metadata: str | None) -> Committed:
        """Return what was committed; without IDs where it was not by a worker of this version."""
        found = _METADATA.fullmatch(metadata or "")
        return cls(offset, TopicIds(*found.groups()) if found else TopicIds("", ""))

    def or_of(self, ids: TopicIds) -> Committed:
        """Return the same with these IDs, if it came without: not every broker gives back what was committed with an
        offset."""
        return self if self.ids.topic else self._replace(ids=ids)

    def is_of_another_topic(self, ids: TopicIds) -> bool:
        """Whether the topic has been created anew since: `ids` are those of now."""
        return differ(self.ids.topic, ids.topic)

    def is_of_another_changelog(self, ids: TopicIds) -> bool:
        """Whether the changelog has been created anew since: `ids` are those of now."""
        return differ(self.ids.changelog, ids.changelog)
