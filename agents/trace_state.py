"""The state of one partition of the traces stage: the facts of every open trace.

Pure bookkeeping, no I/O: records go in (`apply`), what must be written comes out (`collect`), and the changelog
brings it back (`restore`). A trace's facts are kept in the changelog piece by piece, each batch's new facts under
a key of their own, so that a long trace is never written twice; the state is the union of the pieces.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from agents.clock import CLOCK_RECORD, StreamClock, next_version, timestamp_of
from spans import facts as facts_codec
from spans.aggregates import TraceRow
from spans.contribution import Contribution, WindowKey, contribution_of, window_start, withdrawn
from spans.facts import Fact, TraceKey
from spans.trace_fold import fold

_MILLISECOND = 1_000_000  # nanoseconds
_PIECE = Struct(">16sQH")  # trace ID, version, part; the project follows


@dataclass(slots=True)
class OpenTrace:
    """One trace: the set of its facts, and what was or may have been told about it.

    `place` is where its row and contribution stand. `left` are the places it stood at earlier messages of this
    batch: an attempt before a crash may have ended its batch right there and written them, so they are always
    cleared too.
    """

    facts: dict[int, Fact] = field(default_factory=dict)
    version: int = 0
    last_news: int = 0
    best: tuple[int, int, int, str] | None = None
    start_time: int | None = None
    place: WindowKey | None = None
    left: set[WindowKey] = field(default_factory=set)
    unsaved: list[Fact] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)

    def add(self, fact: Fact) -> bool:
        """Add a fact; return whether the set is another one now."""
        known = self.facts.get(fact.span_id)
        if known is not None:
            if known.version > fact.version:
                return False
            self.facts[fact.span_id] = fact
            if known._replace(version=0) == fact._replace(version=0):
                return False
            self._recompute()
        else:
            self.facts[fact.span_id] = fact
            self._consider(fact)
        self.unsaved.append(fact)
        return True

    def _consider(self, fact: Fact) -> None:
        if self.start_time is None or fact.start_time < self.start_time:
            self.start_time = fact.start_time
        if fact.session_rank:
            candidate = (fact.session_rank, fact.start_time, fact.span_id, fact.session_id)
            if self.best is None or candidate < self.best:
                self.best = candidate

    def _recompute(self) -> None:
        self.best, self.start_time = None, None
        for fact in self.facts.values():
            self._consider(fact)

    @property
    def session_id(self) -> str:
        """The session the facts name; '' without one."""
        return self.best[3] if self.best else ""


@dataclass(slots=True)
class TraceChanges:
    """What a batch changed: rows, contributions, and records (key, value) of the changelog."""

    rows: list[TraceRow] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)


class TracePartition:
    """All open traces of one partition.

    Args:
        window: the length of a session window, seconds.
        retention: how long a trace without news is kept, milliseconds of the stream clock.
    """

    def __init__(self, window: int, retention: int) -> None:
        self.clock = StreamClock()
        self._window = window
        self._retention = retention
        self._traces: OrderedDict[TraceKey, OpenTrace] = OrderedDict()
        self._changed: dict[TraceKey, OpenTrace] = {}

    def __len__(self) -> int:
        return len(self._traces)

    def is_new(self, facts: Sequence[Fact]) -> bool:
        """Whether a trace is not here and certainly never was anywhere.

        Only a root tells when its trace started: it starts before all else. Without one the trace may be an
        old one that goes on.
        """
        has_root = any(not fact.parent_span_id for fact in facts)
        start = min(fact.start_time for fact in facts) // _MILLISECOND
        return has_root and self.clock.surely_remembers(start, self._retention)

    def __contains__(self, key: TraceKey) -> bool:
        return key in self._traces

    def adopt(self, key: TraceKey, facts: Iterable[Fact], places: Iterable[WindowKey], version: int) -> None:
        """Take a trace back from ClickHouse: its stored facts, where its rows stand, and their newest version."""
        trace = self._open(key)
        trace.version = max(trace.version, version)
        trace.left.update(places)
        for fact in facts:
            trace.add(fact)
        if trace.facts:
            self._settle(key, trace)
            self._changed[key] = trace

    def apply(self, key: TraceKey, facts: Iterable[Fact], timestamp: int, offset: int) -> None:
        """Apply the facts that one record brings for one trace; `timestamp` in ms."""
        self.clock.advance(timestamp)
        trace = self._open(key)
        trace.last_news = self.clock.now
        self._traces.move_to_end(key)
        added = [trace.add(fact) for fact in facts]
        if any(added) or key in self._changed:
            trace.version = next_version(trace.version, timestamp, offset)
            self._settle(key, trace)
            self._changed[key] = trace

    def collect(self) -> TraceChanges:
        """Return what has changed since the last call, and forget what has had no news for too long."""
        changes = TraceChanges()
        for key, trace in self._changed.items():
            self._write(key, trace, changes)
        self._changed.clear()
        self._forget(changes)
        changes.changelog.append((CLOCK_RECORD, self.clock.encode()))
        return changes

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record of the changelog."""
        if key == CLOCK_RECORD:
            if value is not None:
                self.clock.restore(value)
            return
        trace_id, version, _ = _PIECE.unpack_from(key)
        trace_key = TraceKey(key[_PIECE.size :].decode(), trace_id)
        if value is None:
            self._drop_piece(trace_key, key)
            return
        trace = self._open(trace_key)
        trace.version = max(trace.version, version)
        trace.last_news = max(trace.last_news, timestamp_of(version))
        trace.pieces.append(key)
        for _, facts in facts_codec.decode(value):
            for fact in facts:
                trace.add(fact)
        trace.unsaved.clear()
        trace.place = self._place(trace_key, trace)

    def restored(self) -> None:
        """Put the traces into the order of their last news, once the changelog has been read."""
        self._traces = OrderedDict(sorted(self._traces.items(), key=lambda item: item[1].last_news))

    def _open(self, key: TraceKey) -> OpenTrace:
        trace = self._traces.get(key)
        if trace is None:
            trace = self._traces[key] = OpenTrace(last_news=self.clock.now)
        return trace

    def _place(self, key: TraceKey, trace: OpenTrace) -> WindowKey:
        assert trace.start_time is not None, "a trace has facts"
        return WindowKey(key.project_id, trace.session_id, window_start(trace.start_time, self._window))

    def _settle(self, key: TraceKey, trace: OpenTrace) -> None:
        place = self._place(key, trace)
        if trace.place is not None and trace.place != place:
            trace.left.add(trace.place)
        trace.place = place

    def _write(self, key: TraceKey, trace: OpenTrace, changes: TraceChanges) -> None:
        assert trace.place is not None
        folded = fold(key, trace.facts.values())
        changes.rows.append(TraceRow(key, trace.place, trace.version, folded))
        if trace.place.session_id:
            changes.contributions.append(contribution_of(folded, trace.place, trace.version))
        for place in trace.left - {trace.place}:
            changes.rows.append(TraceRow(key, place, trace.version, None))
            if place.session_id:
                changes.contributions.append(withdrawn(key, place, trace.version))
        for part, piece in enumerate(facts_codec.encode_trace(key, trace.unsaved)):
            piece_key = _PIECE.pack(key.trace_id, trace.version, part) + key.project_id.encode()
            changes.changelog.append((piece_key, piece))
            trace.pieces.append(piece_key)
        trace.unsaved.clear()
        trace.left.clear()

    def _forget(self, changes: TraceChanges) -> None:
        while self._traces:
            key, trace = next(iter(self._traces.items()))
            if trace.last_news + self._retention >= self.clock.now:
                return
            del self._traces[key]
            changes.changelog += [(piece, None) for piece in dict.fromkeys(trace.pieces)]

    def _drop_piece(self, key: TraceKey, piece: bytes) -> None:
        """A tombstone: the trace was forgotten, all its pieces get one."""
        trace = self._traces.get(key)
        if trace is not None and piece in trace.pieces:
            trace.pieces = [kept for kept in trace.pieces if kept != piece]
            if not trace.pieces:
                del self._traces[key]
