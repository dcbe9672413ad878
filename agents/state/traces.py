"""The state of one partition of the traces stage: the facts of every open trace.

Pure bookkeeping, no I/O: records go in (`apply`), what must be written comes out (`collect`), and the changelog
brings it back (`restore`). What the changelog keeps are *pieces*: the records that brought something new, byte for
byte as they came, each under a key of its own. So nothing is encoded again, a long trace is never written twice,
and the state is the union of the pieces. A piece gets its tombstone when all traces it brought something to
are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from struct import Struct

from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock, next_version
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import (
    Contribution,
    WindowKey,
    contribution_of,
    window_start,
    withdrawn,
)
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.rows import TraceRow
from spanloom.spans.folding.trace_fold import fold

_MILLISECOND = 1_000_000  # nanoseconds

_FORGOTTEN = 200_000
"""How many forgotten traces of a partition are remembered as such, some 20 MB."""

_PIECE = Struct(">qqH")
"""The key of a piece: timestamp and offset of the record it is; of what came from ClickHouse also a part, and behind
it the trace."""


class Novelty(Enum):
    """What is known of a trace that a partition does not hold."""

    NEW = auto()
    """It certainly never was anywhere."""
    NEW_WITHOUT_ROW = auto()
    """If it has no row in ClickHouse it is new: every batch of this stage writes rows."""
    OLD = auto()
    """Its facts may have been forgotten or lost."""


@dataclass(slots=True)
class OpenTrace:
    """One trace: the set of its facts, and what was or may have been told about it.

    `place` is where its row and contribution stand. `left` are the places it stood at earlier records of this
    batch: an attempt before a crash may have ended its batch right there and written them, so they are always
    cleared too. `pieces` are the changelog keys of what it is made of.
    """

    facts: dict[int, Fact] = field(default_factory=dict)
    version: int = 0
    last_news: int = 0
    best: tuple[int, int, int, str] | None = None
    start_time: int | None = None
    place: WindowKey | None = None
    left: set[WindowKey] = field(default_factory=set)
    pieces: dict[bytes, None] = field(default_factory=dict)

    def add(self, facts: Iterable[Fact]) -> tuple[bool, bool]:
        """Add facts; of two with one span ID the higher version holds.

        Returns:
            Whether the row may be another one now, and whether there is anything new to be kept at all: a
            span that came again has a higher version, and an older one must not win later.
        """
        changed = news = replaced = False
        for fact in facts:
            known = self.facts.get(fact.span_id)
            if known is None:
                self.facts[fact.span_id] = fact
                self._consider(fact)
                changed = True
            elif fact.version > known.version or (fact.version == known.version and fact != known):
                self.facts[fact.span_id] = fact
                news = True
                replaced = replaced or known._replace(version=fact.version) != fact
        if replaced:
            self._recompute()
        return changed or replaced, changed or news

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
        began: the time now, ms; since when this state is kept unless a changelog says otherwise.
    """

    def __init__(self, window: int, retention: int, began: int) -> None:
        self.clock = StreamClock(kept_since=began)
        self._window = window
        self._retention = retention
        self._traces: OrderedDict[TraceKey, OpenTrace] = OrderedDict()
        self._uses: dict[bytes, int] = {}
        """How many open traces each piece brought something to."""
        self._changed: dict[TraceKey, OpenTrace] = {}
        self._unsaved: list[tuple[bytes, bytes | None]] = []
        self.unsure: set[TraceKey] = set()
        """Traces that may be here in part only, until they are adopted."""
        self._forgotten: dict[int, None] = {}
        """Hashes of the traces that were forgotten last: they are not new, whatever they look like."""

    def __len__(self) -> int:
        return len(self._traces)

    def __contains__(self, key: TraceKey) -> bool:
        return key in self._traces

    def novelty(self, key: TraceKey, facts: Sequence[Fact]) -> Novelty:
        """How sure it is that a trace that is not here never was anywhere.

        Only a root tells when its trace started: it starts before all else. Without one the trace may be an
        old one that goes on after a pause. (A trace with several roots may go on with a root; it is found among
        those that were forgotten last.)
        """
        start = min(fact.start_time for fact in facts) // _MILLISECOND
        if hash(key) in self._forgotten or not self.clock.surely_remembers(start, self._retention):
            return Novelty.OLD
        has_root = any(not fact.parent_span_id for fact in facts)
        return Novelty.NEW if has_root else Novelty.NEW_WITHOUT_ROW

    def adopt(self, key: TraceKey, facts: Sequence[Fact], places: Iterable[WindowKey], version: int) -> None:
        """Take a trace back from ClickHouse: its stored facts, where its rows stand, and their newest version."""
        trace = self._open(key)
        trace.version = max(trace.version, version)
        trace.left.update(places)
        if not facts:
            return
        trace.add(facts)
        self._settle(key, trace)
        self._changed[key] = trace
        for part, piece in enumerate(facts_codec.encode_trace(key, facts)):
            piece_key = _PIECE.pack(self.clock.now, 0, part) + key.trace_id + key.project_id.encode()
            self._keep(piece_key, piece, [trace])

    def apply(
        self, traces: Sequence[tuple[TraceKey, Sequence[Fact]]], value: bytes, timestamp: int, offset: int
    ) -> None:
        """Apply a record.

        Args:
            traces: what it holds.
            value: the record's own bytes, for the changelog.
            timestamp: its timestamp, ms.
            offset: its offset.
        """
        self.clock.advance(timestamp)
        changed = []
        for key, facts in traces:
            trace = self._open(key)
            trace.last_news = self.clock.now
            self._traces.move_to_end(key)
            has_changed, has_news = trace.add(facts)
            if has_news:
                changed.append(trace)
            if not has_changed and key not in self._changed:
                continue
            trace.version = next_version(trace.version, timestamp, offset)
            self._settle(key, trace)
            self._changed[key] = trace
        if changed:
            self._keep(_PIECE.pack(timestamp, offset, 0), value, changed)

    def collect(self) -> TraceChanges:
        """Return what has changed since the last call, and forget what has had no news for too long."""
        changes = TraceChanges(changelog=self._unsaved)
        self._unsaved = []
        for key, trace in self._changed.items():
            self._write(key, trace, changes)
        self._changed.clear()
        # The clock before the tombstones: by it, what is forgotten is forgotten after a restart too, however many
        # of the tombstones were written.
        clock = (CLOCK_RECORD, self.clock.encode())
        changes.changelog.append(clock)
        tombstones = self._forget()
        if tombstones:
            changes.changelog += [*tombstones, clock]
        return changes

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record of the changelog."""
        if key == CLOCK_RECORD:
            if value is not None:
                self.clock.restore(value)
            return
        if value is None:
            return  # what is left of it is too old by the clock, and goes in `restored`
        timestamp, offset, _ = _PIECE.unpack_from(key)
        for trace_key, facts in facts_codec.decode(value):
            trace = self._open(trace_key)
            trace.add(facts)
            trace.version = next_version(trace.version, timestamp, offset)
            trace.last_news = max(trace.last_news, timestamp)
            trace.place = self._place(trace_key, trace)
            self._use(key, trace)

    def restored(self) -> None:
        """Complete what the changelog has brought back.

        Pieces stay for as long as one of their traces is open, so some hold traces that were forgotten, and of
        those perhaps not all facts. They are told by their age and go again; whoever comes back later is found in
        ClickHouse.
        """
        self._traces = OrderedDict(sorted(self._traces.items(), key=lambda item: item[1].last_news))
        self._forget()

    def torn(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Note the open traces that pieces of an unfinished checkpoint belong to."""
        for _, value in records:
            if value is not None:
                self.unsure.update(key for key, _ in facts_codec.decode(value) if key in self._traces)

    def _open(self, key: TraceKey) -> OpenTrace:
        trace = self._traces.get(key)
        if trace is None:
            trace = self._traces[key] = OpenTrace(last_news=self.clock.now)
        return trace

    def _keep(self, piece_key: bytes, piece: bytes, traces: Sequence[OpenTrace]) -> None:
        self._unsaved.append((piece_key, piece))
        for trace in traces:
            self._use(piece_key, trace)

    def _use(self, piece_key: bytes, trace: OpenTrace) -> None:
        if piece_key not in trace.pieces:
            trace.pieces[piece_key] = None
            self._uses[piece_key] = self._uses.get(piece_key, 0) + 1

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
        if not trace.left:
            return
        for place in trace.left - {trace.place}:
            changes.rows.append(TraceRow(key, place, trace.version, None))
            if place.session_id:
                changes.contributions.append(withdrawn(key, place, trace.version))
        trace.left.clear()

    def _forget(self) -> list[tuple[bytes, None]]:
        tombstones = []
        while self._traces:
            key, trace = next(iter(self._traces.items()))
            if trace.last_news + self._retention >= self.clock.now:
                break
            del self._traces[key]
            self._forgotten[hash(key)] = None
            for piece_key in trace.pieces:
                self._uses[piece_key] -= 1
                if not self._uses[piece_key]:
                    del self._uses[piece_key]
                    tombstones.append((piece_key, None))
        while len(self._forgotten) > _FORGOTTEN:
            del self._forgotten[next(iter(self._forgotten))]
        return tombstones
