"""Stored spans as portions of a replay."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import groupby

from spanloom.agents.state.clock import record_of, timestamp_of
from spanloom.commands.replaying.portion import Portion
from spanloom.spans.folding.facts import partition_of
from spanloom.spans.reading.stored.messages import messages
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.stored_spans import (
    StoredRange,
    StoredSpanId,
    TraceId,
    counted_spans,
    spans_of,
    traces_after,
    whole_spans,
)

_TRACES = 200
"""How many traces are listed at once."""

_SPANS = 128
"""How many spans are read at once: with their texts some may take megabytes."""

_TOGETHER = 512
"""So many spans of one trace that came in one record stay together: an SDK's batch by default."""


async def stored_portions(
    warehouse: Warehouse, wanted: StoredRange, after: Sequence[str], partitions: int
) -> AsyncIterator[Portion]:
    """Read the spans of a range, trace by trace.

    Traces that count more spans than are stored, as retention has deleted the others, are left out: read again, they
    would count what is stored and no more.

    Args:
        after: the trace behind which to begin; empty for the first one.
        partitions: of the source topic; all spans of a trace go to the same one, so that of two replays at once
            everybody sees the same one last.
    """
    last = TraceId(*after) if after else None
    while traces := await traces_after(warehouse, wanted, last, _TRACES):
        last = traces[-1]
        # Before their spans: of a trace that goes on, a row that is newer may count more than were listed.
        counted = await counted_spans(warehouse, traces)
        spans = await spans_of(warehouse, traces)
        stored = Counter(map(_trace_of, spans))
        left_out = deque(trace for trace in traces if stored[trace] < counted.get(trace, 0))
        missing = set(left_out)
        for chunk, whole in chunks([span for span in spans if _trace_of(span) not in missing]):
            rows = await whole_spans(warehouse, chunk)
            yield Portion(
                list(
                    messages(
                        rows,
                        lambda project, trace: partition_of((project, bytes.fromhex(trace)), partitions),
                        lambda version: (record_of(version), timestamp_of(version)),
                    )
                ),
                len(whole),
                whole[-1] if whole else None,
                _pass(left_out, whole[-1]) if whole else 0,
            )
        if left_out:
            yield Portion((), 0, last, _pass(left_out, last))


def _trace_of(span: StoredSpanId) -> TraceId:
    return TraceId(span.project_id, span.trace_id)


def _pass(left_out: deque[TraceId], up_to: TraceId) -> int:
    """Take away those up to a trace; returns how many they are."""
    before = len(left_out)
    while left_out and left_out[0] <= up_to:
        left_out.popleft()
    return before - len(left_out)


def chunks(spans: Sequence[StoredSpanId]) -> Iterator[tuple[list[StoredSpanId], list[TraceId]]]:
    """Cut the spans of some traces into runs that are read at once, each with the traces that end with it."""
    chunk: list[StoredSpanId] = []
    whole: list[TraceId] = []
    for trace, of_trace in groupby(spans, _trace_of):
        for _, of_record in groupby(of_trace, lambda span: record_of(span.version)):
            together = list(of_record)
            for start in range(0, len(together), _TOGETHER):
                some = together[start : start + _TOGETHER]
                if chunk and len(chunk) + len(some) > _SPANS:
                    yield chunk, whole
                    chunk, whole = [], []
                chunk += some
        whole.append(trace)
    if chunk:
        yield chunk, whole
