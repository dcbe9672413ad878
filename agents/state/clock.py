"""The stream clock of a partition, and the versions of rows.

Both follow from the timestamps and offsets of the records in the log, not from when a worker reads them. The wall clock
comes in at four places only, the first three in `consuming.records`. A record without a timestamp (of an old client) is
given the time at which it is read. A timestamp further ahead of that time than `MAX_AHEAD` is cut to it. Records that a
stage produces are dated `MAX_BEHIND` ago at the earliest. So in these cases a redelivery may get another timestamp, and
its rows another version. And `kept_since` of a state that begins anew is the time at which it begins.

Besides, versions go on above those that are read back from ClickHouse (`version_above`).
"""

from __future__ import annotations

from dataclasses import dataclass

from spanloom.schemas.facts_pb2 import PartitionClock

CLOCK_RECORD = b"clock"
"""The key of the changelog record that keeps a partition's clock, and ends what one checkpoint has written.

What stands behind the last of them was written by a checkpoint that did not come to its end. It is true, but
may not be all: the keys it belongs to are completed from ClickHouse.
"""

CLOCK_SKEW = 300_000
"""How far an application's clock may be off, in milliseconds, before lateness is judged by it."""

_OFFSET_BITS = 22


def next_version(previous: int, timestamp: int, offset: int) -> int:
    """Return the version of a row after a record has been applied.

    The newest record timestamp in milliseconds, shifted left 22 bits, plus the low 22 bits of the offset: it
    grows with the log, also when a topic is created anew. Where it would not (a clock stood still while the
    low bits went around) the previous version plus one does.

    Args:
        previous: the newest version before, 0 without one.
        timestamp: the record's timestamp, milliseconds since the epoch.
        offset: the record's offset.
    """
    newest = max(previous >> _OFFSET_BITS, timestamp)
    version = newest << _OFFSET_BITS | offset & ((1 << _OFFSET_BITS) - 1)
    return max(version, previous + 1)


def timestamp_of(version: int) -> int:
    """Return the record timestamp in a version, milliseconds since the epoch."""
    return version >> _OFFSET_BITS


@dataclass(slots=True)
class StreamClock:
    """The newest record timestamp seen in a partition, since when its state has been kept (ms), and the newest version.

    Versions grow from record to record of the whole partition, and the changelog keeps the newest one: so one that was
    given once, by a record that brought nothing new or came with an older timestamp, is never given again after a
    restart, to other contents.

    A state that begins anew is given the wall clock for `kept_since`: whatever was read before it was lost, was
    read before now. The timestamp of the first record would be too early where that record is an old one.
    """

    kept_since: int = 0
    now: int = 0
    version: int = 0

    def advance(self, timestamp: int) -> None:
        """Advance to a record's timestamp, if that is newer."""
        self.now = max(self.now, timestamp)

    def next_version(self, timestamp: int, offset: int) -> int:
        """Return the version of the rows that a record changes."""
        self.version = next_version(self.version, timestamp, offset)
        return self.version

    def version_above(self, stored: int) -> int:
        """Return a version above that of a row in ClickHouse, and above all that were given here."""
        self.version = max(self.version, stored) + 1
        return self.version

    def surely_remembers(self, start: int, retention: int) -> bool:
        """Whether state of something that started at `start` (ms) would certainly still be here.

        What started before the retention may have been forgotten, and what started before this state began
        to be kept may never have been here. A start in the future comes from a wrong clock, from which nothing can be
        concluded.
        """
        horizon = max(self.now - retention, self.kept_since) + CLOCK_SKEW
        return horizon <= start <= self.now + CLOCK_SKEW

    def encode(self) -> bytes:
        """Return the clock as the changelog keeps it."""
        kept = PartitionClock(stream_clock=self.now, kept_since=self.kept_since, version=self.version)
        return kept.SerializeToString()

    def restore(self, value: bytes) -> None:
        """Take over what the changelog kept."""
        kept = PartitionClock.FromString(value)
        self.now = max(self.now, kept.stream_clock)
        self.kept_since = kept.kept_since
        self.version = max(self.version, kept.version)
