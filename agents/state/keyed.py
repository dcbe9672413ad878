"""The state of one partition of a keyed stage: what is open, what has changed, what is forgotten.

Pure bookkeeping, no I/O: records go in (`apply`), what must be written comes out (`collect`), the changelog brings it
back (`restore`), and ClickHouse what the changelog no longer has (`adopt`). The rules that both keyed stages share
stand here: when something is forgotten, in which order a changelog is written, and what a checkpoint that was cut off
leaves unsure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Generic, TypeVar

from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock, timestamp_of, version_above
from spanloom.agents.state.entry import ChangelogRecord, Changes, Open, ProjectKey
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.stored import Database, WrittenRow
from spanloom.schemas.facts_pb2 import PartitionClock

_PORTION = 500
"""Of what is owed so much is adopted at once: after a change of the database that may be everything."""

Key = TypeVar("Key", bound=ProjectKey)
Value = TypeVar("Value")
Entry = TypeVar("Entry", bound=Open)
Changed = TypeVar("Changed", bound=Changes)
Stored = TypeVar("Stored")


class KeyedState(ABC, Generic[Key, Value, Entry, Stored, Changed]):
    """All that is open in one partition.

    Args:
        retention: how long a key without news is kept, milliseconds of the stream clock.
        began: the time now, ms; since when this state is kept unless a changelog says otherwise.
    """

    def __init__(self, retention: int, began: int) -> None:
        self.clock = StreamClock(kept_since=began)
        self.began_anew = True
        """Whether no changelog says what was here before."""
        self.unsure: set[Key] = set()
        """Keys that may be here in part only, until they are adopted."""
        self.owed: set[Key] = set()
        """Keys whose rows may not tell all that is here, or may be missing, until they are adopted."""
        self.database = ""
        """The identity of the database that has the rows, empty if that is not known."""
        self.written: WrittenRow | None = None
        """The newest row of the last that were collected; others may be newer where these had been put off."""
        self.stored: WrittenRow | None = None
        """The same of what ClickHouse has taken."""
        self._compared: WrittenRow | None = None  # what was `stored` when the database was compared last
        self._found: str | None = None  # the identity of the database that is there now
        self._retention = retention
        self._open: OrderedDict[Key, Entry] = OrderedDict()  # those without news for the longest time first
        self._changed: dict[Key, Entry] = {}
        self._highest = 0  # version of a row
        self._unfinished: list[ChangelogRecord] = []  # read back, behind the last clock record
        self._ended: list[bytes] = []  # changelog keys of what was forgotten when it was read back

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, key: Key) -> bool:
        return key in self._open

    def __iter__(self) -> Iterator[Key]:
        return iter(self._open)

    @abstractmethod
    def novelty(self, key: Key, values: Sequence[Value]) -> Novelty:
        """How certain it is that a key that is not here is new; `values` are what a batch brings for it."""

    @abstractmethod
    def adopt(self, stored: Stored) -> None:
        """Take a key back from ClickHouse."""

    def apply(self, items: Iterable[tuple[Key, Value]], record: bytes, timestamp: int, offset: int) -> None:
        """Apply a record.

        Args:
            items: what it holds, by key.
            record: its bytes.
            timestamp: its timestamp, ms.
            offset: its offset.
        """
        version = self.clock.apply(timestamp, offset)
        news: list[Entry] = []
        for key, value in items:
            entry = self._entry(key)
            entry.last_news = self.clock.now
            self._open.move_to_end(key)
            changes_row, is_news = self._add(key, entry, value)
            changes_row = changes_row or entry.found_again
            if is_news:
                news.append(entry)
            if changes_row:
                # Read back from ClickHouse, where a worker that came further left it, the row may be ahead.
                self._raise(entry, max(version, entry.version + 1))
                self._settle(key, entry)
                self._changed[key] = entry
            elif key in self._changed:
                # What follows a change in the same batch raises the version, too: another batch may end there.
                self._raise(entry, version)
        if news:
            self._keep(news, record, timestamp, offset)

    def collect(self) -> Changed:
        """Return what has changed since the last call, and forget what has had no news for too long.

        The changelog gets first what is new, then the clock, and only then the tombstones: by the clock, what is
        forgotten is forgotten after a restart too, however many of the tombstones were written, and it says what must
        not be taken for new. What stands behind the last clock record was written by a checkpoint that did not come to
        its end (`restored`).
        """
        changes = self._write(self._due())
        self.written = changes.newest or self.written
        ended = [*self._ended, *self._forget()]
        self._ended = []
        # Not before: within a batch, which another worker may cut otherwise, versions follow from the log and the clock
        # that was kept, and not from what else was adopted.
        self.clock.version = max(self.clock.version, self._highest)
        kept = self.clock.to_message()
        kept.put_off.extend(map(self._name, self._put_off()))
        if self._found is not None and not self.owed:
            self.database = self._found
        kept.database = self.database
        if self.written is not None:
            kept.written, kept.written_to = self.written.version, self._name(self.written.key)
        clock = (CLOCK_RECORD, kept.SerializeToString())
        changes.changelog += [*self._remember(), clock]
        if ended:
            changes.changelog += [*((key, None) for key in ended), clock]
        return changes

    @property
    def has_begun(self) -> bool:
        """Whether `begin` was called."""
        return self._found is not None

    def begin(self, database: Database, found: Mapping[Key, int]) -> bool:
        """Compare with the database that is there; where its rows are not those of this state, all are owed.

        Args:
            database: which one it is.
            found: the highest versions in which it has the rows that are `to_find`.

        Returns:
            Whether they are. If not, what is collected next must be written before any row: once rows are written, an
            older copy of the same database does not look older any more.
        """
        self._found = database.identity
        if self.began_anew and database.is_empty:
            self.clock.kept_since = 0  # without any row nothing was read before
        is_other = bool(self.database) and self.database != database.identity
        if not is_other and self.finds(self.to_find(), database, found):
            return True
        self.owed.update(self._open)
        self.database = f"not {database.identity}"
        self.written = self.stored = self._compared = None  # into this one
        return False

    def are_stored(self) -> None:
        """Take note that ClickHouse has the rows of all that was collected."""
        self.stored = self.written

    def to_find(self) -> Sequence[WrittenRow]:
        """Return rows that the database must have: what was stored last, and when it was compared last. Rows that were
        written to an older copy since then don't hide that it lacks others."""
        return [row for row in (self.stored, self._compared) if row is not None]

    def finds(self, rows: Sequence[WrittenRow], database: Database, found: Mapping[Key, int]) -> bool:
        """Whether a database is the one with which the state began, and has its rows still.

        Args:
            rows: what was `to_find` when the database was asked.
            database: which one it is.
            found: the highest versions in which it has these rows.
        """
        has_all = self._found == database.identity and all(
            found.get(row.key, 0) >= row.version
            # Deleted by its age, and so were all that were written before it.
            or (row.key not in found and timestamp_of(row.version) < database.expired_up_to)
            for row in rows
        )
        if has_all and rows:
            self._compared = rows[0]
        return has_all

    def begin_after(self, latest: Mapping[str, int]) -> None:
        """Take over how far ahead clocks were of projects whose state may be lost: by project the latest start, ms."""
        for project, start in latest.items():
            self.clock.forget(project, start, self._retention)
        self.began_anew = False

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record of the changelog; `value` is None for a tombstone."""
        if key == CLOCK_RECORD:
            self._unfinished.clear()
            if value is not None:
                kept = PartitionClock.FromString(value)
                self.clock.restore(kept)
                self.owed = set(map(self._named, kept.put_off))
                self.database = kept.database
                if kept.written_to:
                    self.written = WrittenRow(kept.written, self._named(kept.written_to))
                self.are_stored()
                self.began_anew = False
            return
        self._unfinished.append((key, value))
        self._restore(key, value)

    def restored(self) -> None:
        """Complete what the changelog has brought back.

        Keys whose tombstones were not all written go, too. Those that records of an unfinished checkpoint belong to
        may be here in part only: the next batch must adopt them.
        """
        self._open = OrderedDict(sorted(self._open.items(), key=lambda item: item[1].last_news))
        self._ended = self._forget()
        for record in self._unfinished:
            self.unsure.update(key for key in self._keys_of(record) if key in self._open)
        self._unfinished.clear()

    def take_on(self, lost: KeyedState[Key, Value, Entry, Stored, Changed]) -> list[ChangelogRecord]:
        """Owe the rows that a state owed which was given up, those that it had put off too; remember what it had.

        Returns:
            What the changelog has to know of that, before it loses what it holds.
        """
        self.owed.update(lost._changed)
        self.remember(lost)
        return list(self._remember())

    def remember(self, lost: KeyedState[Key, Value, Entry, Stored, Changed]) -> None:
        """Keep of a state that is given up for this one what stays true."""
        self.owed |= lost.owed

    def owes(self) -> bool:
        """Whether rows are owed, or were put off and are due now."""
        return bool(self.owed)

    def to_adopt(self, brought: Iterable[Key]) -> set[Key]:
        """Return what is here and must be adopted with a batch that brings these keys."""
        owed = self.owed
        return self.unsure | {key for key in brought if key in owed} | set(islice(owed, _PORTION))

    def adopted(self, keys: Set[Key]) -> None:
        """Follow that keys have been adopted, if anything of them is stored; rows that are owed are due then."""
        for key in self.owed & keys:
            if key in self._open:
                entry = self._entry(key)
                self._raise(entry, version_above(entry.version, self.clock.version))
                self._changed[key] = entry
        self.owed -= keys
        self.unsure.clear()

    def _due(self) -> dict[Key, Entry]:
        """Return those that have changed and whose rows must be written now; they count as unchanged then."""
        due, self._changed = self._changed, {}
        return due

    def _put_off(self) -> Iterable[Key]:
        """Return those that have changed and whose rows are written later."""
        return ()

    @abstractmethod
    def _name(self, key: Key) -> bytes:
        """Return what names a key in the clock record."""

    @abstractmethod
    def _named(self, name: bytes) -> Key:
        """Return the key of a name."""

    def _raise(self, entry: Entry, version: int) -> None:
        """Give the row of an entry a version, if that is higher than its own."""
        entry.version = max(entry.version, version)
        self._highest = max(self._highest, entry.version)

    def _entry(self, key: Key) -> Entry:
        entry = self._open.get(key)
        if entry is None:
            entry = self._open[key] = self._new(self.clock.now)
        return entry

    def _forget(self) -> list[bytes]:
        """Forget what has had no news for longer than the retention, but for what is owed; returns the changelog keys
        that end with it. What a shorter retention has forgotten stays so: a part of its tombstones may be written."""
        ended: list[bytes] = []
        while self._open:
            key, entry = next(iter(self._open.items()))
            if entry.last_news >= max(self.clock.now - self._retention, self.clock.forgotten_up_to):
                break
            if key in self.owed:
                entry.last_news = self.clock.now
                self._open.move_to_end(key)
                continue
            del self._open[key]
            self.clock.forget(key.project_id, self._latest_start(key, entry), self._retention)
            ended += self._forgotten(key, entry)
        self.clock.forget_the_past(self._retention)
        return ended

    @abstractmethod
    def _new(self, now: int) -> Entry:
        """Return an entry that nothing is known of yet."""

    @abstractmethod
    def _add(self, key: Key, entry: Entry, value: Value) -> tuple[bool, bool]:
        """Add what a record brings; returns whether the row may be another one now, and whether it is news at all."""

    def _settle(self, key: Key, entry: Entry) -> None:
        """Follow a change of an entry."""

    def _keep(self, entries: Sequence[Entry], record: bytes, timestamp: int, offset: int) -> None:
        """Note for the changelog that a record brought news to these entries."""

    @abstractmethod
    def _write(self, changed: dict[Key, Entry]) -> Changed:
        """Return the rows of what has changed, and the records that the changelog has to get for it."""

    @abstractmethod
    def _latest_start(self, key: Key, entry: Entry) -> int:
        """Return the latest start, ms, of anything that an entry holds."""

    @abstractmethod
    def _forgotten(self, key: Key, entry: Entry) -> Iterable[bytes]:
        """Follow that an entry was forgotten; returns the keys of its changelog records."""

    def _remember(self) -> Iterable[ChangelogRecord]:
        """Return what the changelog has to know of what was forgotten, before it loses it."""
        return ()

    @abstractmethod
    def _restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record of the changelog that is no clock."""

    @abstractmethod
    def _keys_of(self, record: ChangelogRecord) -> Iterable[Key]:
        """Return what a record of the changelog belongs to."""
