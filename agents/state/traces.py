"""The state of one partition of the traces stage: the facts of every open trace.

The changelog keeps a trace in *pieces*: a piece is a record that brought something new, byte for byte as it was
read, under a key of its own. So nothing is encoded again, a long trace is never written twice, and the state is the
union of the pieces. A piece gets its tombstone when all traces it brought something to are forgotten.

In memory it is kept the same way, but for those traces that had news last (`open_trace`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from struct import Struct
from time import monotonic

from spanloom.agents.state.clock import version_above
from spanloom.agents.state.entry import ChangelogRecord, Changes
from spanloom.agents.state.fact_set import FactSet
from spanloom.agents.state.keyed import KeyedState
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.open_trace import OpenTrace
from spanloom.agents.state.pace import Pace
from spanloom.agents.state.stored import StoredTrace
from spanloom.spans.conventions.key_order import BUILT_IN, Identity
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

_UNPACKED = 2000
"""Traces of a partition that are kept unpacked: some 60 MB."""

_FORGOTTEN = 200_000
"""How many forgotten traces of a partition are remembered as such, some 20 MB."""

_PIECE = Struct(">qQH")
"""The key of a piece: timestamp and offset of its record, and 0. A piece made from stored facts has the version of the
trace, which no other such piece of it has, instead of the offset, and is numbered; and its key ends with the trace."""


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
        self._most_unpacked = most_unpacked
        self._window = window
        self._identity = identity
        self._unpacked: OrderedDict[TraceKey, OpenTrace] = (
            OrderedDict()
        )  # those without news for the longest time first
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
        trace.found_again = True
        self._raise(trace, version_above(trace.version, stored.version))
        held = trace.held
        held.left.update(stored.places)
        unknown = [fact for fact in stored.facts if held.lacks(fact)]
        self._add(trace, unknown)
        if not held.facts:
            return
        self._settle(key, trace)
        self._changed[key] = trace
        for part, piece in enumerate(facts_codec.encode_trace(key, unknown) if unknown else ()):
            piece_key = (
                _PIECE.pack(self.clock.now, trace.version, part) + key.trace_id + key.project_id.encode()
            )
            self._keep_piece(piece_key, piece, [trace])

    def collect(self) -> TraceChanges:
        """Return what has changed since the last call, forget what has had no news for too long, and pack all but those
        that had news last."""
        changes = super().collect()
        for key in list(islice(self._unpacked, max(0, len(self._unpacked) - self._most_unpacked))):
            if key not in self._changed:
                self._unpacked.pop(key).pack(key)
        return changes

    def _entry(self, key: TraceKey) -> OpenTrace:
        trace = super()._entry(key)
        if trace.unpacked is None:
            self._unpack(key, trace)
            self._unpacked[key] = trace
        else:
            self._unpacked.move_to_end(key)
        return trace

    def _unpack(self, key: TraceKey, trace: OpenTrace) -> None:
        held = trace.unpack(key, self._identity.sessions)
        if not held.facts:
            return
        held.place = self._place(key, held)
        # What is read back was written by a worker that may have gone by another precedence of keys: wherever else the
        # trace may stand by what its facts name, its row and contribution are taken away when it is written next.
        if not trace.again and len(session_ids := held.session_ids) > 1:
            held.left.update(held.place._replace(session_id=each) for each in session_ids)

    def _new(self, now: int) -> OpenTrace:
        return OpenTrace(last_news=now)

    def _add(self, entry: OpenTrace, value: Sequence[Fact]) -> tuple[bool, bool]:
        held = entry.held
        found = held.add(value)
        entry.latest_start = max(entry.latest_start, held.latest_start)
        return found

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

    def _put_off(self) -> Iterable[bytes]:
        return (key.trace_id + key.project_id.encode() for key in self._changed)

    def _read_put_off(self, names: Iterable[bytes]) -> Iterable[TraceKey]:
        return (TraceKey(name[16:].decode(), name[:16]) for name in names)

    def _settle(self, key: TraceKey, entry: OpenTrace) -> None:
        held = entry.held
        place = self._place(key, held)
        if held.place is not None and held.place != place:
            held.left.add(held.place)
        held.place = place

    def _keep(self, entries: Sequence[OpenTrace], record: bytes, timestamp: int, offset: int) -> None:
        self._keep_piece(_PIECE.pack(timestamp, offset, 0), record, entries)

    def _keep_piece(self, piece_key: bytes, piece: bytes, traces: Sequence[OpenTrace]) -> None:
        self._unsaved.append((piece_key, piece))
        is_known = piece_key in self._uses
        for trace in traces:
            trace.keep(piece)
            self._use(piece_key, trace, is_known)

    def _use(self, piece_key: bytes, trace: OpenTrace, is_known: bool) -> None:
        if not is_known or piece_key not in trace.pieces:
            trace.pieces.append(piece_key)
            self._uses[piece_key] = self._uses.get(piece_key, 0) + 1

    def _place(self, key: TraceKey, held: FactSet) -> WindowKey:
        assert held.start_time is not None, "a trace has facts"
        return WindowKey(key.project_id, held.session_id, window_start(held.start_time, self._window))

    def _write(self, changed: dict[TraceKey, OpenTrace]) -> TraceChanges:
        changes = TraceChanges(self._unsaved)
        self._unsaved = []
        for key, trace in changed.items():
            self._write_trace(key, trace, changes)
        return changes

    def _write_trace(self, key: TraceKey, trace: OpenTrace, changes: TraceChanges) -> None:
        held = trace.held
        assert held.place is not None
        folded = fold(key, held.facts.values(), self._identity)
        changes.rows.append(TraceRow(key, held.place, trace.version, folded))
        if held.place.session_id:
            changes.contributions.append(contribution_of(folded, held.place, trace.version))
        for place in held.left - {held.place}:
            changes.rows.append(TraceRow(key, place, trace.version, None))
            if place.session_id:
                changes.contributions.append(withdrawn(key, place, trace.version))
        held.left.clear()
        held.changes, held.told, held.written = 0, len(held.facts), self._time()

    def _latest_start(self, key: TraceKey, entry: OpenTrace) -> int:  # noqa: ARG002
        return entry.latest_start // _MILLISECOND

    def _forgotten(self, key: TraceKey, entry: OpenTrace) -> list[bytes]:
        self._unpacked.pop(key, None)
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
        is_known = key in self._uses
        for trace_key, latest_start in facts_codec.traces_in(value):
            trace = super()._entry(trace_key)
            trace.keep(value)
            trace.found_again = True
            trace.latest_start = max(trace.latest_start, latest_start)
            trace.last_news = max(trace.last_news, timestamp)
            self._use(key, trace, is_known)

    def _keys_of(self, record: ChangelogRecord) -> Iterable[TraceKey]:
        value = record[1]
        return () if value is None else [key for key, _ in facts_codec.traces_in(value)]
