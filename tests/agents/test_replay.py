"""The law of the state: whatever is duplicated, reordered, batched otherwise, crashed and replayed, the rows are
those of all spans folded once.

The log, the changelogs and the tables are lists and dictionaries here; the states and folds are the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.session_state import SessionPartition
from agents.trace_state import TracePartition
from spans.contribution import Contribution, WindowKey, contribution_of, window_start
from spans.facts import Fact, TraceKey
from spans.session_fold import SessionWindow
from spans.session_fold import fold as fold_session
from spans.trace_fold import Trace, fold
from tests.spans.examples import START, facts

WINDOW = 3600
RETENTION = 3_600_000
NOW = START // 1_000_000
KEYS = [TraceKey("p", bytes([n]) * 16) for n in (1, 2, 3)]

Changelog = list[tuple[bytes, bytes | None]]


def compacted(changelog: Changelog) -> Changelog:
    """What compaction leaves: the last record of each key."""
    last = {key: position for position, (key, _) in enumerate(changelog)}
    return [record for position, record in enumerate(changelog) if last[record[0]] == position]


@dataclass
class Table:
    """A ReplacingMergeTree: of each key the row of the highest version; None where it is deleted."""

    rows: dict[object, tuple[int, object]] = field(default_factory=dict)

    def insert(self, key: object, version: int, row: object) -> None:
        known = self.rows.get(key)
        if known is None or version >= known[0]:
            self.rows[key] = (version, row)

    def live(self) -> dict[object, object]:
        return {key: row for key, (_, row) in self.rows.items() if row is not None}


@st.composite
def logs(draw: st.DrawFn) -> list[list[tuple[TraceKey, list[Fact]]]]:
    """Messages of facts: some traces cut into pieces, in any order, some pieces sent again."""
    pieces = []
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True)):
        span_ids = draw(st.lists(st.integers(1, 50), min_size=1, max_size=6, unique=True))
        pieces += [(key, draw(facts(span_id, span_ids))._replace(version=1)) for span_id in span_ids]
    pieces += draw(st.lists(st.sampled_from(pieces), max_size=5))
    messages: list[list[tuple[TraceKey, list[Fact]]]] = []
    for some in draw(st.permutations(pieces)):
        joins: bool = draw(st.booleans())
        if messages and joins:
            messages[-1].append((some[0], [some[1]]))
        else:
            messages.append([(some[0], [some[1]])])
    return messages


@settings(max_examples=300)
@given(logs(), st.data())
def test_crashes_and_replays_change_no_row(
    log: list[list[tuple[TraceKey, list[Fact]]]], data: st.DataObject
) -> None:
    traces, sent = run_traces(log, data)
    windows = run_sessions(sent, data)

    all_facts: dict[TraceKey, dict[int, Fact]] = {}
    for message in log:
        for key, some in message:
            all_facts.setdefault(key, {}).update({one.span_id: one for one in some})
    expected_traces: dict[object, Trace] = {}
    expected_windows: dict[WindowKey, list[Contribution]] = {}
    for key, by_id in all_facts.items():
        trace = fold(key, by_id.values())
        place = WindowKey(key.project_id, trace.session_id, window_start(trace.start_time, WINDOW))
        expected_traces[key, place] = trace
        if trace.session_id:
            expected_windows.setdefault(place, []).append(contribution_of(trace, place, 1))
    assert traces.live() == expected_traces
    expected: dict[WindowKey, SessionWindow | None] = {
        place: fold_session(place, some) for place, some in expected_windows.items()
    }
    assert windows.live() == expected


def run_traces(
    log: list[list[tuple[TraceKey, list[Fact]]]], data: st.DataObject
) -> tuple[Table, list[Contribution]]:
    """Run the traces stage over a log, with crashes at any step of the checkpoint."""
    table, sent, changelog = Table(), [], []
    committed, crashes = 0, 0
    state = TracePartition(WINDOW, RETENTION)
    while committed < len(log):
        size = data.draw(st.integers(1, len(log) - committed))
        for offset in range(committed, committed + size):
            for key, some in log[offset]:
                state.apply(key, some, NOW + offset, offset)
        changes = state.collect()
        step = data.draw(st.integers(0, 4)) if crashes < 4 else 4
        if step > 0:
            for row in changes.rows:
                table.insert((row.key, row.place), row.version, row.trace)
        if step > 1:
            sent += changes.contributions
        if step == 3:
            changelog += changes.changelog[: data.draw(st.integers(0, len(changes.changelog)))]
        if step == 4:
            changelog += changes.changelog
            committed += size
        else:
            crashes += 1
            state = TracePartition(WINDOW, RETENTION)
            kept = compacted(changelog) if data.draw(st.booleans()) else changelog
            for record_key, value in kept:
                state.restore(record_key, value)
            state.restored()
    return table, sent


def run_sessions(sent: list[Contribution], data: st.DataObject) -> Table:
    """Run the sessions stage over contributions, with crashes at any step of the checkpoint."""
    table, changelog = Table(), []
    committed, crashes = 0, 0
    state = SessionPartition(RETENTION)
    while committed < len(sent):
        size = data.draw(st.integers(1, len(sent) - committed))
        for offset in range(committed, committed + size):
            state.apply(sent[offset], NOW + offset, offset)
        changes = state.collect()
        step = data.draw(st.integers(0, 3)) if crashes < 4 else 3
        if step > 0:
            for row in changes.rows:
                table.insert(row.key, row.version, row.sums)
        if step == 2:
            changelog += changes.changelog[: data.draw(st.integers(0, len(changes.changelog)))]
        if step == 3:
            changelog += changes.changelog
            committed += size
        else:
            crashes += 1
            state = SessionPartition(RETENTION)
            for record_key, value in compacted(changelog):
                state.restore(record_key, value)
            state.restored()
    return table
