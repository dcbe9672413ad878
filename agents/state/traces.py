"""The state of one partition of the traces stage: the facts of every open trace.

The changelog keeps a trace in *pieces*: a piece is a record that brought something new, byte for byte as it was
read, under a key of its own. So nothing is encoded again, a long trace is never written twice, and the state is the
union of the pieces. A piece gets its tombstone when all traces it brought something to are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from struct import Struct
from time import monotonic

from spanloom.agents.state.clock import version_above
from spanloom.agents.state.keyed import ChangelogRecord, Changes, KeyedState, Novelty
from spanloom.agents.state.pace import Pace
from spanloom.agents.state.stored import StoredTrace
from spanloom.spans.conventions.key_order import BUILT_IN, Identity, KeyOrder
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
from spanloom.spans.folding.trace.fold import fold

_PACE = Pace()

_MILLISECOND = 1_000_000  # nanoseconds

_PUT_OFF = 1000
"""Rows that are put off at most: each checkpoint writes their names."""

_FORGOTTEN = 200_000
"""How many forgotten traces of a partition are remembered as such, some 20 MB."""

_PIECE = Struct(">qqH")
"""The key of a piece: timestamp and offset of its record, and 0. A piece made from stored facts is numbered instead,
and its key ends with the trace."""


@dataclass(slots=True)
class OpenTrace:
    """One trace: the set of its facts, and where rows and contributions of it were or may have been written.

    `place` is where its row and contribution stand. `left` are the places it stood at earlier records of this
    batch: an attempt before a crash may have ended its batch right there and written them, so they are always
    cleared too. `pieces` are the changelog keys of what it is made of. `changes` are the facts that came or changed
    since its row was written, at the time `written`, of `told` facts.
    """

    order: KeyOrder = BUILT_IN.sessions
    facts: dict[int, Fact] = field(default_factory=dict)
    version: int = 0
    last_news: int = 0
    best: tuple[int, int, int, str] | None = None
    start_time: int | None = None
    latest_start: int = 0
    place: WindowKey | None = None
    left: set[WindowKey] = field(default_factory=set)
    pieces: dict[bytes, None] = field(default_factory=dict)
    changes: int = 0
    told: int = 0
    written: float = 0.0

    def add(self, facts: Iterable[Fact]) -> tuple[bool, bool]:
        """Add facts; of two with one span ID the higher version wins.

        Returns:
            Whether the row may be another one now, and whether there is anything new to be kept at all: a
            span that was sent again has a higher version, and an older one must not win later.
        """
        changed = news = replaced = decided = False
        for fact in facts:
            known = self.facts.get(fact.span_id)
            if known is None:
                self.facts[fact.span_id] = fact
                self._consider(fact)
                self.changes += 1
                changed = True
            elif self.lacks(fact):
                self.facts[fact.span_id] = fact
                news = True
                if known._replace(version=fact.version) != fact:
                    self.changes += 1
                    replaced = True
                    decided = decided or self._decides(known)
                    self._consider(fact)
        if decided:
            self._recompute()
        return changed or replaced, changed or news

    def lacks(self, fact: Fact) -> bool:
        """Whether a fact is not among these, or newer."""
        known = self.facts.get(fact.span_id)
        return (
            known is None or fact.version > known.version or (fact.version == known.version and fact != known)
        )

    def _consider(self, fact: Fact) -> None:
        if self.start_time is None or fact.start_time < self.start_time:
            self.start_time = fact.start_time
        self.latest_start = max(self.latest_start, fact.start_time)
        if fact.session_key:
            place = self.order.place(fact.session_key)
            candidate = (place, fact.start_time, fact.span_id, fact.session_id)
            if self.best is None or candidate < self.best:
                self.best = candidate

    def _decides(self, fact: Fact) -> bool:
        """Whether the place of the trace may hang on a fact."""
        best = self.best
        return fact.start_time == self.start_time or (best is not None and best[2] == fact.span_id)

    def _recompute(self) -> None:
        self.best, self.start_time = None, None
        for fact in self.facts.values():
            self._consider(fact)

    @property
    def session_id(self) -> str:
        """The session the facts name; '' without one."""
        return self.best[3] if self.best else ""

    @property
    def session_ids(self) -> set[str]:
        """All sessions that the facts name: where the trace would stand by one precedence of keys or another."""
        return {fact.session_id for fact in self.facts.values() if fact.session_key}


@dataclass(slots=True)
class TraceChanges(Changes):
    """What a batch changed: rows, contributions, and records of the changelog."""

    rows: list[TraceRow] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)


class TracePartition(KeyedState[TraceKey, Sequence[Fact], OpenTrace, StoredTrace, TraceChanges]):
    """All open traces of one partition.

    Args:
        window: the length of a session window, seconds.
        retention: how long a trace without news is kept, milliseconds of the stream clock.
        began: the time now, ms; since when this state is kept unless a changelog says otherwise.
        identity: the precedence by which traces find their sessions and users.
        pace: when the rows of large traces are written.
        time: seconds, for the pace.
    """

    def __init__(
        self,
        window: int,
        retention: int,
        began: int,
        identity: Identity = BUILT_IN,
        pace: Pace = _PACE,
        time: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(retention, began)
        self._pace = pace
        self._time = time
        self._owed: set[TraceKey] = set()
        """Of the traces that are unsure those whose rows were put off."""
        self._window = window
        self._identity = identity
        self._uses: dict[bytes, int] = {}
        """How many open traces each piece brought something to."""
        self._unsaved: list[ChangelogRecord] = []
        self._forgotten_last: dict[int, None] = {}
        """Hashes of the traces that were forgotten last: they are not new, whatever they look like."""

    def novelty(self, key: TraceKey, values: Sequence[Sequence[Fact]]) -> Novelty:
        """How certain it is that a trace that is not here is new.

        Only a root shows when its trace started: it starts before all else. Without one the trace may be an
        old one that goes on after a pause. (A trace with several roots may go on with a root; it is found among
        those that were forgotten last.)
        """
        facts = [fact for some in values for fact in some]
        start = min(fact.start_time for fact in facts) // _MILLISECOND
        if hash(key) in self._forgotten_last or not self.clock.surely_remembers(
            key.project_id, start, self._retention
        ):
            return Novelty.OLD
        has_root = any(not fact.parent_span_id for fact in facts)
        return Novelty.NEW if has_root else Novelty.NEW_WITHOUT_ROW

    def adopt(self, stored: StoredTrace) -> None:
        """Take a trace back from ClickHouse: its stored facts, where its rows stand, and their newest version.

        What is stored may be more than what went out under that version (ingest runs ahead), so the version is raised.
        """
        key, trace = stored.key, self._entry(stored.key)
        self._raise(trace, version_above(trace.version, stored.version))
        trace.left.update(stored.places)
        unknown = [fact for fact in stored.facts if trace.lacks(fact)]
        trace.add(unknown)
        if not trace.facts:
            return
        self._settle(key, trace)
        self._changed[key] = trace
        for part, piece in enumerate(facts_codec.encode_trace(key, unknown) if unknown else ()):
            piece_key = _PIECE.pack(self.clock.now, 0, part) + key.trace_id + key.project_id.encode()
            self._keep_piece(piece_key, piece, [trace])

    def restored(self) -> None:
        """Complete what the changelog has brought back.

        The worker before may have gone by another precedence of keys: wherever else a trace may stand by what its
        facts name, its row and contribution are taken away when it is written next.
        """
        super().restored()
        self._owed = {key for key in self._owed if key in self._open}
        self.unsure |= self._owed
        for key, trace in self._open.items():
            if len(session_ids := trace.session_ids) > 1:
                trace.left.update(self._place(key, trace)._replace(session_id=each) for each in session_ids)

    def _new(self, now: int) -> OpenTrace:
        return OpenTrace(self._identity.sessions, last_news=now)

    def _add(self, entry: OpenTrace, value: Sequence[Fact]) -> tuple[bool, bool]:
        return entry.add(value)

    def owes(self) -> bool:
        """Whether rows that were put off are due now."""
        if not self._owed.isdisjoint(self.unsure):
            return True
        now = self._time()
        return any(self._is_due(trace, now) for trace in self._changed.values())

    def settled(self) -> None:
        """Follow that all that was unsure has been adopted; of what was put off and is not stored a row is due, too."""
        for key in self._owed & self._open.keys() - self._changed.keys():
            trace = self._open[key]
            self._raise(trace, version_above(trace.version, self.clock.version))
            self._changed[key] = trace
        self._owed.clear()
        super().settled()

    def _is_due(self, trace: OpenTrace, now: float) -> bool:
        is_due = self._pace.is_due(len(trace.facts), trace.changes, trace.told, now - trace.written)
        return is_due or trace.last_news + self._retention < self.clock.now

    def _due(self) -> dict[TraceKey, OpenTrace]:
        now = self._time()
        later = {key: trace for key, trace in self._changed.items() if not self._is_due(trace, now)}
        due = super()._due()
        if later:
            self._changed = dict(islice(later.items(), _PUT_OFF))
            due = {key: trace for key, trace in due.items() if key not in self._changed}
        return due

    def _put_off(self) -> Iterable[bytes]:
        return (key.trace_id + key.project_id.encode() for key in self._changed)

    def _take_put_off(self, names: Iterable[bytes]) -> None:
        self._owed = {TraceKey(name[16:].decode(), name[:16]) for name in names}

    def _settle(self, key: TraceKey, entry: OpenTrace) -> None:
        place = self._place(key, entry)
        if entry.place is not None and entry.place != place:
            entry.left.add(entry.place)
        entry.place = place

    def _keep(self, entries: Sequence[OpenTrace], record: bytes, timestamp: int, offset: int) -> None:
        self._keep_piece(_PIECE.pack(timestamp, offset, 0), record, entries)

    def _keep_piece(self, piece_key: bytes, piece: bytes, traces: Sequence[OpenTrace]) -> None:
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

    def _write(self, changed: dict[TraceKey, OpenTrace]) -> TraceChanges:
        changes = TraceChanges(self._unsaved)
        self._unsaved = []
        for key, trace in changed.items():
            self._write_trace(key, trace, changes)
        return changes

    def _write_trace(self, key: TraceKey, trace: OpenTrace, changes: TraceChanges) -> None:
        assert trace.place is not None
        folded = fold(key, trace.facts.values(), self._identity)
        changes.rows.append(TraceRow(key, trace.place, trace.version, folded))
        if trace.place.session_id:
            changes.contributions.append(contribution_of(folded, trace.place, trace.version))
        for place in trace.left - {trace.place}:
            changes.rows.append(TraceRow(key, place, trace.version, None))
            if place.session_id:
                changes.contributions.append(withdrawn(key, place, trace.version))
        trace.left.clear()
        trace.changes, trace.told, trace.written = 0, len(trace.facts), self._time()

    def _latest_start(self, key: TraceKey, entry: OpenTrace) -> int:  # noqa: ARG002
        return entry.latest_start // _MILLISECOND

    def _forgotten(self, key: TraceKey, entry: OpenTrace) -> list[bytes]:
        self._forgotten_last[hash(key)] = None
        if len(self._forgotten_last) > _FORGOTTEN:
            del self._forgotten_last[next(iter(self._forgotten_last))]
        ended = []
        for piece_key in entry.pieces:
            self._uses[piece_key] -= 1
            if not self._uses[piece_key]:
                del self._uses[piece_key]
                ended.append(piece_key)
        return ended

    def _restore(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            return  # what is left of it is too old by the clock, and goes in `restored`
        timestamp, _, _ = _PIECE.unpack_from(key)
        for trace_key, facts in facts_codec.decode(value):
            trace = self._entry(trace_key)
            trace.add(facts)
            trace.last_news = max(trace.last_news, timestamp)
            trace.place = self._place(trace_key, trace)
            self._use(key, trace)

    def _keys_of(self, record: ChangelogRecord) -> Iterable[TraceKey]:
        value = record[1]
        return () if value is None else [key for key, _ in facts_codec.decode(value)]
