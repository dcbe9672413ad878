"""Stored spans as portions of a replay."""

from __future__ import annotations

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

    Args:
        after: the trace behind which to begin; empty for the first one.
        partitions: of the source topic; all spans of a trace go to the same one, so that of two replays at once
            everybody sees the same one last.
    """
    last = TraceId(*after) if after else None
    while traces := await traces_after(warehouse, wanted, last, _TRACES):
        last = traces[-1]
        spans = await spans_of(warehouse, traces)
        for chunk, whole in chunks(spans):
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
            )


def chunks(spans: Sequence[StoredSpanId]) -> Iterator[tuple[list[StoredSpanId], list[TraceId]]]:
    """Cut the spans of some traces into runs that are read at once, each with the traces that end with it."""
    chunk: list[StoredSpanId] = []
    whole: list[TraceId] = []
    for trace, of_trace in groupby(spans, lambda span: TraceId(span.project_id, span.trace_id)):
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
