"""Stored spans are read in runs that are small and keep together what came together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.state.clock import record_of, record_version
from spanloom.commands.replaying.stored import chunks
from spanloom.warehouse.stored_spans import StoredSpanId, TraceId

MOST = 512


def spans(traces: list[list[int]]) -> list[StoredSpanId]:
    """Spans of traces, each given by how many came with each of its records."""
    return [
        StoredSpanId("shop", f"{number:032x}", f"{span:016x}", record_version(1_796_000_000_000, record))
        for number, records in enumerate(traces)
        for record, count in enumerate(records)
        for span in range(count)
    ]


@given(st.lists(st.lists(st.integers(1, 60) | st.integers(100, 1300), min_size=1, max_size=4), max_size=20))
def test_runs(traces: list[list[int]]) -> None:
    given_spans = spans(traces)
    runs = list(chunks(given_spans))
    assert [span for run, _ in runs for span in run] == given_spans
    assert all(run for run, _ in runs)
    assert [trace for _, whole in runs for trace in whole] == list(
        dict.fromkeys(TraceId(span.project_id, span.trace_id) for span in given_spans)
    )
    sent: set[StoredSpanId] = set()
    for run, whole in runs:
        assert len(run) <= MOST
        sent.update(run)
        # A trace is done once all of it is in this run or one before.
        for trace in whole:
            assert {span for span in given_spans if span[:2] == trace} <= sent
    for run, _ in runs:
        for (trace_id, record), count in _records(given_spans).items():
            inside = sum((span.trace_id, record_of(span.version)) == (trace_id, record) for span in run)
            assert inside in (0, count) or count > MOST


def _records(some: list[StoredSpanId]) -> dict[tuple[str, int], int]:
    counts: dict[tuple[str, int], int] = {}
    for span in some:
        key = span.trace_id, record_of(span.version)
        counts[key] = counts.get(key, 0) + 1
    return counts
