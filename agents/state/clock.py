"""The stream clock of a partition, and the versions of rows.

Both follow from the timestamps and offsets of the records in the log, not from when a worker reads them. The wall clock
comes in at four places only, the first three in `consuming.records`. A record without a timestamp (of an old client) is
given the time at which it is read. A timestamp further ahead of that time than `MAX_AHEAD` is cut to it. Records that a
stage produces are dated `MAX_BEHIND` ago at the earliest. So in these cases a redelivery may get another timestamp, and
its rows another version. And `kept_since` of a state that begins anew is the time at which it begins.

Besides, versions go on above those that are read back from ClickHouse (`version_above`).

A version is given once: `StreamClock` keeps the highest one, in the changelog too, and every later record gives a
higher one, also where the clock stands still for longer than the bits of the offset last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from spanloom.schemas.facts_pb2 import PartitionClock

CLOCK_RECORD = b"clock"
"""The key of the changelog record that keeps a partition's clock, and ends what one checkpoint has written.

What stands behind the last of them was written by a checkpoint that did not come to its end. It is true, but
may not be all: the keys it belongs to are completed from ClickHouse.
"""

CLOCK_SKEW = 300_000
"""How far an application's clock may be off, in milliseconds, before lateness is judged by it."""

_PROJECTS = 1000
"""Projects whose wrong clocks are remembered one by one; those of further ones count for all projects."""

_ANY = ""
"""Stands for every project; a project without a name is `default`."""

_TIME_SHIFT = 22
_REWRITE_BITS = 6
_OFFSET_MASK = (1 << _TIME_SHIFT - _REWRITE_BITS) - 1


def record_version(timestamp: int, offset: int) -> int:
    """Return the version of rows whose newest record this is.

    The newest record timestamp in milliseconds, shifted left 22 bits, then 16 bits of the offset, then 6 bits that are
    0: they count how often rows are written anew between two records (`version_above`). It grows with the log, also
    when a topic is created anew.

    Args:
        timestamp: the newest timestamp of the partition up to the record, milliseconds since the epoch.
        offset: the record's offset.
    """
    return timestamp << _TIME_SHIFT | (offset & _OFFSET_MASK) << _REWRITE_BITS


def version_above(version: int, stored: int) -> int:
    """Return a version for what was completed from ClickHouse: above its row there, below that of any later record."""
    return max(version, stored) + 1


def record_of(version: int) -> int:
    """Return what a version says of its record, whatever was written anew since: the same for all rows of a record."""
    return version >> _REWRITE_BITS


def timestamp_of(version: int) -> int:
    """Return the record timestamp in a version, milliseconds since the epoch."""
    return version >> _TIME_SHIFT


@dataclass(slots=True)
class StreamClock:
    """The newest record timestamp seen in a partition, and since when its state has been kept; ms.

    `applied` is the newest timestamp among the records that have been applied; `now` knows those of the whole batch.
    `version` is the highest version that has been given. `forgotten_ahead` is, by project, the latest start of anything
    that was forgotten (or may be lost) although by its start it would still be here: by a wrong clock.

    A state that begins anew is given the wall clock for `kept_since`: whatever was read before it was lost, was
    read before now. The timestamp of the first record would be too early where that record is an old one. It is 0 where
    nothing can have been lost. `forgotten_up_to` is the latest time whose past was forgotten, by whatever retention
    there was then.
    """

    kept_since: int = 0
    now: int = 0
    applied: int = 0
    version: int = 0
    forgotten_ahead: dict[str, int] = field(default_factory=dict)
    forgotten_up_to: int = 0

    def advance(self, timestamp: int) -> None:
        """Advance to a record's timestamp, if that is newer."""
        self.now = max(self.now, timestamp)

    def apply(self, timestamp: int, offset: int) -> int:
        """Advance to a record that is applied; returns the version of rows whose newest record it is.

        It is that of the newest timestamp up to the record and the record's offset (`record_version`). Where that would
        not be above all versions given before, because the timestamp stands still while the bits of the offset begin
        again, its time goes on by a millisecond. So a later record never gives a lower version than one before,
        whatever the order of timestamps, and however often the worker is restarted.
        """
        self.advance(timestamp)
        self.applied = max(self.applied, timestamp)
        version = record_version(max(self.applied, timestamp_of(self.version)), offset)
        if version <= self.version:
            version += 1 << _TIME_SHIFT
        self.version = version
        return version

    def surely_remembers(self, project: str, start: int, retention: int) -> bool:
        """Whether state of something that started at `start` (ms) would certainly still be here.

        What started before the retention may have been forgotten, and what started before this state began
        to be kept may never have been here. A start in the future comes from a wrong clock, from which nothing can be
        concluded; nor can it once the clock has come there, up to the latest such start that was forgotten meanwhile.
        """
        latest = max(self.forgotten_ahead.get(project, 0), self.forgotten_ahead.get(_ANY, 0))
        return max(self._horizon(retention), latest + 1) <= start <= self.now + CLOCK_SKEW

    def is_young(self, retention: int) -> bool:
        """Whether something may still go on that was open when this state began to be kept, and was lost."""
        return self.now < self.kept_since + retention

    def forget(self, project: str, start: int, retention: int) -> None:
        """Note that something was forgotten, or may be lost, of which a part started as late as `start` (ms)."""
        if start < self._horizon(retention):
            return
        if project not in self.forgotten_ahead and len(self.forgotten_ahead) >= _PROJECTS:
            self.forget_the_past(retention)
            if len(self.forgotten_ahead) >= _PROJECTS:
                project = _ANY
        self.forgotten_ahead[project] = max(self.forgotten_ahead.get(project, 0), start)

    def forget_the_past(self, retention: int) -> None:
        """Follow that all before the retention is forgotten: keep no start that is unsure by its age."""
        self.forgotten_up_to = max(self.forgotten_up_to, self.now - retention)
        horizon = self._horizon(retention)
        self.forgotten_ahead = {
            project: start for project, start in self.forgotten_ahead.items() if start >= horizon
        }

    def _horizon(self, retention: int) -> int:
        return max(self.now - retention, self.forgotten_up_to, self.kept_since) + CLOCK_SKEW

    def to_message(self) -> PartitionClock:
        """Return the clock as the changelog keeps it."""
        return PartitionClock(
            stream_clock=self.now,
            kept_since=self.kept_since,
            version=self.version,
            forgotten_ahead=self.forgotten_ahead,
            forgotten_up_to=self.forgotten_up_to,
        )

    def restore(self, kept: PartitionClock) -> None:
        """Take over what the changelog kept."""
        self.now = max(self.now, kept.stream_clock)
        self.kept_since = kept.kept_since
        self.applied = max(self.applied, kept.stream_clock)
        self.version = max(self.version, kept.version)
        self.forgotten_ahead = dict(kept.forgotten_ahead)
        self.forgotten_up_to = max(self.forgotten_up_to, kept.forgotten_up_to)
