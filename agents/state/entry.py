"""What every keyed state has: keys, open entries, and the changes of a batch."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

from spanloom.agents.state.stored import WrittenRow

ChangelogRecord = tuple[bytes, bytes | None]
"""Key and value of a record of a changelog; a value of None is a tombstone."""


class Open(Protocol):
    """What is kept of one open key."""

    version: int
    """The version of its row."""
    last_news: int
    """The stream clock when a record last named it, ms."""
    found_again: bool
    """Whether it came from the changelog or from ClickHouse. What comes from ClickHouse may be ahead of the log, and
    another worker, which does not know yet that it is none any more, may put out less under the same version. So the
    row is written anew with every record that names it, also one that brings nothing new: that may be what the other
    one lacked."""


@dataclass(slots=True)
class Changes:
    """What a batch changed: at least the records of the changelog, in the order in which they must be written."""

    changelog: list[ChangelogRecord] = field(default_factory=list)

    @property
    def newest(self) -> WrittenRow | None:
        """The row of the highest version; None without rows: an erasure that finds nothing gives a version, and no
        row."""
        return None


class ProjectKey(Hashable, Protocol):
    """What names a trace or a session window."""

    @property
    def project_id(self) -> str:
        """The project."""
