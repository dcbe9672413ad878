"""The law of the state: whatever is duplicated, reordered, batched otherwise, crashed, replayed, forgotten and found
again, the rows are those of all spans folded once.

The log, the changelogs and the tables are lists and dictionaries here; the states and folds are the real ones, and
what reads a changelog follows the rule of `spanloom.agents.consuming.changelog`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spanloom.agents.consuming.changelog import PartitionState
from spanloom.agents.state.clock import CLOCK_RECORD, CLOCK_SKEW
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.traces import Novelty, TracePartition
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import Contribution, WindowKey, contribution_of, window_start
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.session_fold import SessionWindow
from spanloom.spans.folding.session_fold import fold as fold_session
from spanloom.spans.folding.trace_fold import Trace, fold
from tests.spans.examples import START, facts

WINDOW = 3600
RETENTION = 3_600_000
NOW = START // 1_000_000
KEYS = [TraceKey("p", bytes([n]) * 16) for n in (1, 2, 3)]

Changelog = list[tuple[bytes, bytes | None]]
Message = list[tuple[TraceKey, list[Fact]]]


@dataclass(frozen=True)
class Logged:
    """A record of the log: what it holds and its timestamp, ms."""

    traces: Message
    timestamp: int


@dataclass
class Table:
    """A ReplacingMergeTree: of each key the row of the highest version; None where it is deleted."""

    rows: dict[Any, tuple[int, Any]] = field(default_factory=dict)

    def insert(self, key: Any, version: int, row: Any) -> None:
        known = self.rows.get(key)
        if known is None or version >= known[0]:
            self.rows[key] = (version, row)

    def live(self) -> dict[Any, Any]:
        return {key: row for key, (_, row) in self.rows.items() if row is not None}


def compacted(changelog: Changelog) -> Changelog:
    """What compaction leaves: the last record of each key, tombstones gone too."""
    last = {key: position for position, (key, _) in enumerate(changelog)}
    return [
        record
        for position, record in enumerate(changelog)
        if last[record[0]] == position and record[1] is not None
    ]


def restore(state: PartitionState, changelog: Changelog) -> None:
    """Read a changelog as `ChangelogTable` does: what no clock record ends is noted."""
    unended: Changelog = []
    for key, value in changelog:
        state.restore(key, value)
        if key == CLOCK_RECORD:
            unended = []
        else:
            unended.append((key, value))
    state.restored()
    state.torn(unended)


@st.composite
def logs(draw: st.DrawFn) -> list[Logged]:
    """Messages of facts: some traces cut into pieces, in any order, some pieces sent again, some hours later."""
    pieces: Message = []
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True)):
        span_ids = draw(st.lists(st.integers(1, 50), min_size=1, max_size=6, unique=True))
        pieces += [(key, [draw(facts(span_id, span_ids))._replace(version=1)]) for span_id in span_ids]
    pieces += draw(st.lists(st.sampled_from(pieces), max_size=5))
    log: list[Logged] = []
    # Soon after the spans, or so late that their state could have been forgotten.
    timestamp = draw(st.sampled_from([NOW + 3 * WINDOW * 500 + 1, NOW + 4 * RETENTION]))
    for key, some in draw(st.permutations(pieces)):
        joins: bool = draw(st.booleans())
        if log and joins:
            log[-1].traces.append((key, some))
        else:
            timestamp += draw(st.sampled_from([1, 1, 1, 2 * RETENTION]))
            log.append(Logged([(key, some)], timestamp))
    return log


class Traces:
    """The traces stage over a log: looks up as the stage does, writes in the order of the checkpoint."""

    def __init__(self, log: list[Logged], data: st.DataObject) -> None:
        self.table = Table()
        self.sent: list[tuple[Contribution, int]] = []
        self._log = log
        self._data = data
        self._changelog: Changelog = []
        self._began = data.draw(st.sampled_from([NOW - 2 * RETENTION, NOW + 4 * RETENTION]))
        self._spans: dict[TraceKey, dict[int, Fact]] = {}

    def run(self) -> None:
        committed, crashes = 0, 0
        state = self._new_state()
        while committed < len(self._log):
            size = self._data.draw(st.integers(1, len(self._log) - committed))
            batch = range(committed, committed + size)
            self._store_spans(batch)
            self._find_again(state, batch)
            for offset in batch:
                record = self._log[offset]
                state.apply(record.traces, message(record.traces), record.timestamp, offset)
            changes = state.collect()
            step = self._data.draw(st.integers(0, 4)) if crashes < 4 else 4
            if step > 0:
                for row in changes.rows:
                    self.table.insert((row.key, row.place), row.version, row.trace)
            if step > 1:
                newest = max(self._log[offset].timestamp for offset in batch)
                self.sent += [(contribution, newest) for contribution in changes.contributions]
            if step == 3:
                self._changelog += changes.changelog[
                    : self._data.draw(st.integers(0, len(changes.changelog)))
                ]
            if step == 4:
                self._changelog += changes.changelog
                committed += size
            else:
                crashes += 1
                state = self._new_state()
            if self._data.draw(st.booleans()):
                self._changelog = compacted(self._changelog)

    def _new_state(self) -> TracePartition:
        state = TracePartition(WINDOW, RETENTION, self._began)
        restore(state, self._changelog)
        return state

    def _store_spans(self, batch: range) -> None:
        """What ingest has done before: every span of the batch is in ClickHouse."""
        for offset in batch:
            for key, some in self._log[offset].traces:
                self._spans.setdefault(key, {}).update({fact.span_id: fact for fact in some})

    def _find_again(self, state: TracePartition, batch: range) -> None:
        seen: dict[TraceKey, list[Fact]] = {}
        for offset in batch:
            state.clock.advance(self._log[offset].timestamp)
            for key, some in self._log[offset].traces:
                if key not in state:
                    seen.setdefault(key, []).extend(some)
        placed = {key for key, _ in self.table.rows}
        wanted = set(state.unsure)
        for key, some in seen.items():
            novelty = state.novelty(key, some)
            if novelty is Novelty.OLD or (novelty is Novelty.NEW_WITHOUT_ROW and key in placed):
                wanted.add(key)
        state.unsure.clear()
        for key in sorted(wanted):
            if key in self._spans:
                # Deleted rows too: where one stands, a contribution may stand that was never withdrawn.
                rows = {place: version for (of, place), (version, _) in self.table.rows.items() if of == key}
                state.adopt(key, list(self._spans[key].values()), rows, max(rows.values(), default=0))


class Sessions:
    """The sessions stage over contributions."""

    def __init__(self, sent: list[tuple[Contribution, int]], traces: Table, data: st.DataObject) -> None:
        self.table = Table()
        self._sent = sent
        self._traces = traces
        self._data = data
        self._changelog: Changelog = []
        self._began = data.draw(st.sampled_from([NOW - 2 * RETENTION, NOW + 4 * RETENTION]))

    def run(self) -> None:
        committed, crashes = 0, 0
        state = self._new_state()
        while committed < len(self._sent):
            size = self._data.draw(st.integers(1, len(self._sent) - committed))
            batch = range(committed, committed + size)
            self._find_again(state, batch)
            for offset in batch:
                contribution, timestamp = self._sent[offset]
                state.apply(contribution, timestamp, offset)
            changes = state.collect()
            step = self._data.draw(st.integers(0, 3)) if crashes < 4 else 3
            if step > 0:
                for row in changes.rows:
                    self.table.insert(row.key, row.version, row.sums)
            if step == 2:
                self._changelog += changes.changelog[
                    : self._data.draw(st.integers(0, len(changes.changelog)))
                ]
            if step == 3:
                self._changelog += changes.changelog
                committed += size
            else:
                crashes += 1
                state = self._new_state()
            if self._data.draw(st.booleans()):
                self._changelog = compacted(self._changelog)

    def _new_state(self) -> SessionPartition:
        state = SessionPartition(RETENTION, self._began)
        restore(state, self._changelog)
        return state

    def _find_again(self, state: SessionPartition, batch: range) -> None:
        for offset in batch:
            state.clock.advance(self._sent[offset][1])
        windows = {self._sent[offset][0].window for offset in batch}
        wanted = state.unsure | {
            window for window in windows if window not in state and not state.is_new(window)
        }
        state.unsure.clear()
        for window in sorted(wanted):
            if window:
                stored = [
                    contribution_of(row, place, version)
                    for (_, place), (version, row) in self._traces.rows.items()
                    if row and place == window
                ]
                version, _ = self.table.rows.get(window, (0, None))
                state.adopt(window, stored, version)


def message(traces: Message) -> bytes:
    """A record's bytes."""
    merged: dict[TraceKey, list[Fact]] = {}
    for key, some in traces:
        merged.setdefault(key, []).extend(some)
    return facts_codec.encode_traces(merged)


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 4)
@given(logs(), st.data())
def test_nothing_that_happens_on_the_way_changes_a_row(log: list[Logged], data: st.DataObject) -> None:
    assert CLOCK_SKEW < RETENTION
    traces = Traces(log, data)
    traces.run()
    sessions = Sessions(traces.sent, traces.table, data)
    sessions.run()

    all_facts: dict[TraceKey, dict[int, Fact]] = {}
    for record in log:
        for key, some in record.traces:
            all_facts.setdefault(key, {}).update({one.span_id: one for one in some})
    expected_traces: dict[Any, Trace] = {}
    by_window: dict[WindowKey, list[Contribution]] = {}
    for key, by_id in all_facts.items():
        trace = fold(key, by_id.values())
        place = WindowKey(key.project_id, trace.session_id, window_start(trace.start_time, WINDOW))
        expected_traces[key, place] = trace
        if trace.session_id:
            by_window.setdefault(place, []).append(contribution_of(trace, place, 1))
    assert traces.table.live() == expected_traces
    expected: dict[WindowKey, SessionWindow | None] = {
        place: fold_session(place, some) for place, some in by_window.items()
    }
    assert sessions.table.live() == expected
