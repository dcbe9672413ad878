"""The state of one partition of the traces stage: the facts of every open trace.

The changelog keeps a trace in *pieces*: a piece is a record that brought something new, byte for byte as it was
read, under a key of its own. So nothing is encoded again, a long trace is never written twice, and the state is the
union of the pieces. A piece gets its tombstone when all traces it brought something to are forgotten.

In memory it is kept the same way, but for those traces that had news last (`open_trace`).

An *erasure* is a piece, too. What it says of a trace is kept as long as the trace is: facts whose version is not above
that of the erasure are dropped, whenever they come, and the rows of their spans taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from time import monotonic

from spanloom.agents.state.clock import version_above
from spanloom.agents.state.entry import ChangelogRecord
from spanloom.agents.state.keyed import KeyedState
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.stored import StoredTrace
from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.trace.fact_set import FactSet
from spanloom.agents.state.trace.forgotten import Forgotten
from spanloom.agents.state.trace.last_forgotten import LastForgotten, is_chunk
from spanloom.agents.state.trace.open_trace import OpenTrace
from spanloom.agents.state.trace.pace import Pace
from spanloom.agents.state.trace.pieces import Pieces, piece_key, stored_piece_keys, timestamp_of_piece
from spanloom.agents.state.trace.places import may_stand_elsewhere, possible_places
from spanloom.agents.state.trace.unpacked import Unpacked
from spanloom.spans.conventions.key_order import BUILT_IN, Identity
from spanloom.spans.folding import erasure
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import (
    WindowKey,
    window_start,
)
from spanloom.spans.folding.erasure import Erased
from spanloom.spans.folding.facts import Fact, TraceKey

_PACE = Pace()

_MILLISECOND = 1_000_000  # nanoseconds

_PUT_OFF = 1000
"""Rows that are put off at most: each checkpoint writes their names."""

_UNPACKED = 2000
"""Traces of a partition that are kept unpacked: some 60 MB."""

News = Sequence[Fact] | Erased
"""What a record says of a trace."""


class TracePartition(KeyedState[TraceKey, News, OpenTrace, StoredTrace, TraceChanges]):
    """All open traces of one partition.

    Args:
        window: the length of a session window, seconds.
        retention: how long a trace without news is kept, milliseconds of the stream clock.
        began: the time now, ms; since when this state is kept unless a changelog says otherwise.
        identity: the precedence by which traces find their sessions and users.
        pace: when the rows of large traces are written.
        time: seconds, for the pace.
        most_unpacked: how many traces are kept unpacked, those that had news last.
    """

    def __init__(
        self,
        window: int,
        retention: int,
        began: int,
        identity: Identity = BUILT_IN,
        pace: Pace = _PACE,
        time: Callable[[], float] = monotonic,
        most_unpacked: int = _UNPACKED,
    ) -> None:
        super().__init__(retention, began)
        self._pace = pace
        self._time = time
        self._window = window
        self._identity = identity
        self._unpacked = Unpacked(most_unpacked, self._unpack)
        self._pieces = Pieces()
        self._read_back: dict[bytes, bytes] = {}
        """What the changelog has brought back of pieces, until all of it is there."""
        self._kept: tuple[bytes, Sequence[OpenTrace]] | None = None
        """The key of the piece that the record is which is applied, and the traces it brought something to."""
        self._erased = Forgotten()
        self._forgotten_last = LastForgotten()
        self._given_up: set[TraceKey] = set()
        """What was open in states that were given up for this one, until the changelog remembers it as forgotten."""

    def novelty(self, key: TraceKey, values: Sequence[News]) -> Novelty:
        """How certain it is that a trace that is not here is new.

        Only a root shows when its trace started: it starts before all else. Without one the trace may be an
        old one that goes on after a pause. A trace with several roots may go on with a root: it is found among
        those that were forgotten last, and while some may go on whose state was lost, a root proves nothing. What an
        erasure needs of a trace is looked up otherwise (`adopt_to_forget`).
        """
        facts = [fact for some in values if not isinstance(some, Erased) for fact in some]
        if not facts:
            return Novelty.NEW
        start = min(fact.start_time for fact in facts) // _MILLISECOND
        if any(isinstance(some, Erased) for some in values):
            return Novelty.OLD
        if (
            key in self._given_up
            or key in self._forgotten_last
            or not self.clock.surely_remembers(key.project_id, start, self._retention)
        ):
            return Novelty.OLD
        has_root = any(not fact.parent_span_id for fact in facts)
        is_certain = has_root and not self.clock.is_young(self._retention)
        return Novelty.NEW if is_certain else Novelty.NEW_WITHOUT_ROW

    def adopt(self, stored: StoredTrace) -> None:
        """Take a trace back from ClickHouse: its stored facts, where its rows stand, and their newest version.

        What is stored may be more than what went out under that version (ingest runs ahead), so the version is raised.
        """
        key, trace = stored.key, self._entry(stored.key)
        trace.found_again = True
        self._raise(trace, version_above(trace.version, stored.version))
        if self._erase(key, trace, stored.forgotten):
            erasures = list(erasure.encode([key], stored.forgotten))
            for piece_key_, piece in stored_piece_keys(
                self.clock.now, trace.version, b"erased" + _name(key), erasures
            ):
                self._pieces.keep_erasure(piece_key_, piece, [trace])
        held = trace.held
        held.left.update(stored.places)
        stored_facts = self._erased.left_of(key, stored.facts)
        unknown = [fact for fact in stored_facts if held.lacks(fact)]
        self._add(key, trace, unknown)
        if not held.facts and key not in self._erased:
            return
        self._settle(key, trace)
        self._changed[key] = trace
        pieces = facts_codec.encode_trace(key, unknown)
        for piece_key_, piece in stored_piece_keys(self.clock.now, trace.version, _name(key), pieces):
            self._pieces.keep(piece_key_, piece, [trace])

    def adopt_to_forget(self, stored: StoredTrace) -> None:
        """Take from ClickHouse what the erasure needs that is applied next: where a trace's rows stand, their newest
        version, and which spans it has; of their facts no more than ID, start and version."""
        trace = self._entry(stored.key)
        self._raise(trace, version_above(trace.version, stored.version))
        trace.held.left.update(stored.places)
        trace.held.add(stored.facts)

    def apply(
        self, items: Iterable[tuple[TraceKey, News]], record: bytes, timestamp: int, offset: int
    ) -> None:
        """Apply a record."""
        self._erased.found, self._kept = False, None
        items = list(items)
        super().apply(items, record, timestamp, offset)
        if self._kept is not None:
            self._pieces.use_too(*self._kept, (self._open[key] for key, _ in items))

    def restored(self) -> None:
        """Complete what the changelog has brought back."""
        self._forgotten_last.restored()
        for key, piece in self._read_back.items():
            self._take_back(key, piece)
        self._read_back.clear()
        super().restored()
        # Where a checkpoint was cut off, what was forgotten may still be in pieces.
        for trace_key in self._erased:
            self._pieces.taint(trace_key, self._open[trace_key])

    def remember(self, lost: KeyedState[TraceKey, News, OpenTrace, StoredTrace, TraceChanges]) -> None:
        """Know of the traces that another state had forgotten, and of those that are forgotten with it."""
        assert isinstance(lost, TracePartition)
        super().remember(lost)
        self._forgotten_last = lost._forgotten_last
        self._given_up.update(lost._given_up, lost)
        for piece in lost._read_back.values():  # given up while it is read back
            self._given_up.update(key for key, _ in erasure.traces_in(piece))

    def collect(self) -> TraceChanges:
        """Return what has changed since the last call, forget what has had no news for too long, and pack all but those
        that had news last."""
        changes = super().collect()
        changes.forgotten = self._erased.take_spans()
        self._unpacked.pack(self._changed)
        return changes

    def _entry(self, key: TraceKey) -> OpenTrace:
        trace = super()._entry(key)
        self._unpacked.touch(key, trace)
        return trace

    def _unpack(self, key: TraceKey, trace: OpenTrace) -> None:
        held = trace.unpack(key, self._identity.sessions, self._erased.version(key))
        if held.facts:
            held.place = self._place(key, held)

    def _new(self, now: int) -> OpenTrace:
        return OpenTrace(last_news=now)

    def _add(self, key: TraceKey, entry: OpenTrace, value: News) -> tuple[bool, bool]:
        if isinstance(value, Erased):
            is_news = self._erase(key, entry, value.version)
            return is_news, is_news
        if key in self._erased:
            self._forget_start(key, max((fact.start_time for fact in value), default=0))
            value = self._erased.left_of(key, value)
        held = entry.held
        found = held.add(value)
        entry.latest_start = max(entry.latest_start, held.latest_start)
        return found

    def _erase(self, key: TraceKey, trace: OpenTrace, version: int) -> bool:
        is_newest = self._erased.raise_to(key, version)
        if is_newest:
            self._pieces.taint(key, trace)
            trace.latest_start = max(trace.latest_start, trace.held.latest_start)
            self._forget_start(key, trace.latest_start)
            self._leave_all(key, trace)
            self._erased.take_away(key, trace.held.forget(version))
        return is_newest

    def _forget_start(self, key: TraceKey, start: int) -> None:
        self.clock.forget(key.project_id, start // _MILLISECOND, self._retention)

    def owes(self) -> bool:
        """Whether rows are owed, or were put off and are due now."""
        if super().owes():
            return True
        now = self._time()
        return any(self._is_due(trace, now) for trace in self._changed.values())

    def _is_due(self, trace: OpenTrace, now: float) -> bool:
        held = trace.held
        is_due = self._pace.is_due(len(held.facts), held.changes, held.told, now - held.written)
        return is_due or trace.last_news + self._retention < self.clock.now

    def _due(self) -> dict[TraceKey, OpenTrace]:
        now = self._time()
        later = {key: trace for key, trace in self._changed.items() if not self._is_due(trace, now)}
        due = super()._due()
        if later:
            self._changed = dict(islice(later.items(), _PUT_OFF))
            due = {key: trace for key, trace in due.items() if key not in self._changed}
        return due

    def _put_off(self) -> Iterable[TraceKey]:
        # What is owed because of another database is owed again by that.
        owed = () if self.database.startswith("not ") else self.owed
        return self._changed.keys() | owed

    def _name(self, key: TraceKey) -> bytes:
        return _name(key)

    def _named(self, name: bytes) -> TraceKey:
        return TraceKey(name[16:].decode(), name[:16])

    def _settle(self, key: TraceKey, entry: OpenTrace) -> None:
        held = entry.held
        place = self._place(key, held) if held.facts else None
        if held.place is not None and held.place != place:
            held.left.add(held.place)
        held.place = place

    def _keep(self, entries: Sequence[OpenTrace], record: bytes, timestamp: int, offset: int) -> None:
        if erasure.is_erasure(record):
            # It may be dated back: by its key it must not look forgotten.
            self._pieces.keep_erasure(piece_key(self.clock.now, offset), record, entries)
            return
        record_key = piece_key(timestamp, offset)
        self._pieces.keep(record_key, record, entries)
        self._kept = record_key, entries
        if self._erased.found:
            self._pieces.taint_piece(record_key)

    def _place(self, key: TraceKey, held: FactSet) -> WindowKey:
        assert held.start_time is not None, "a trace has facts"
        return WindowKey(key.project_id, held.session_id, window_start(held.start_time, self._window))

    def _write(self, changed: dict[TraceKey, OpenTrace]) -> TraceChanges:
        self._ended += self._pieces.regroup(self._open, self._read, set(self._ended))
        changes = TraceChanges(self._pieces.take_unsaved())
        for key, trace in changed.items():
            self._write_trace(key, trace, changes)
        return changes

    def _write_trace(self, key: TraceKey, trace: OpenTrace, changes: TraceChanges) -> None:
        self._leave_all(key, trace)
        changes.add(key, trace, self._identity)
        held = trace.held
        held.left.clear()
        held.changes, held.told, held.written = 0, len(held.facts), self._time()

    def _leave_all(self, key: TraceKey, trace: OpenTrace) -> None:
        """A worker before this one may have known less of the trace, or gone by another precedence of keys."""
        if trace.found_again or may_stand_elsewhere(trace.held, self._window):
            trace.held.left.update(possible_places(key.project_id, trace.held, self._window))

    def _latest_start(self, key: TraceKey, entry: OpenTrace) -> int:  # noqa: ARG002
        return entry.latest_start // _MILLISECOND

    def _forgotten(self, key: TraceKey, entry: OpenTrace) -> list[bytes]:
        if self._erased.is_refused(key, self.clock.now):
            # What is forgotten is refused for a time that is not over.
            entry.last_news = self.clock.now
            self._open[key] = entry
            return []
        self._unpacked.drop(key)
        self._erased.drop(key)
        self._forgotten_last.add(key)
        return self._pieces.release(key, entry)

    def _remember(self) -> Iterable[ChangelogRecord]:
        for key in self._given_up:
            self._forgotten_last.add(key)
        self._given_up.clear()
        return self._forgotten_last.take_unsaved()

    def _read(self, key: TraceKey) -> list[Fact]:
        held = self._open[key].read(key, self._identity.sessions, self._erased.version(key))
        return list(held.facts.values())

    def _restore(self, key: bytes, value: bytes | None) -> None:
        if is_chunk(key):
            self._forgotten_last.restore(key, value)
        elif value is None:
            self._read_back.pop(key, None)
        else:
            self._read_back[key] = value

    def _take_back(self, piece_key_: bytes, piece: bytes) -> None:
        is_erasure = erasure.is_erasure(piece)
        is_known = self._pieces.knows(piece_key_)
        timestamp = timestamp_of_piece(piece_key_)
        for key, latest_start in erasure.traces_in(piece):
            # The clock is that of the end by now, so it is no clock for a trace that is new.
            trace = self._open.setdefault(key, OpenTrace(last_news=timestamp))
            trace.found_again = True
            trace.latest_start = max(trace.latest_start, latest_start)
            trace.last_news = max(trace.last_news, timestamp)
            if is_erasure:
                self._pieces.use_erasure(piece_key_, trace)
            else:
                trace.keep(piece)
                self._pieces.use(piece_key_, trace, is_known)
        if is_erasure:
            for key, erased in erasure.decode(piece):
                self._erased.raise_to(key, erased.version)

    def _keys_of(self, record: ChangelogRecord) -> Iterable[TraceKey]:
        key, value = record
        if value is None or is_chunk(key):
            return ()
        return [key for key, _ in erasure.traces_in(value)]


def _name(key: TraceKey) -> bytes:
    return key.trace_id + key.project_id.encode()
