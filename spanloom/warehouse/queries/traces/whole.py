"""Whole spans, some at a time: all of a session, trace by trace, or those of one trace as they are stored.

Which spans there are is asked without their texts, so that of a session of any size few are in memory at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from spanloom.spans.messages.recorded import recorded
from spanloom.spans.messages.texts import any_text, assistant_text, message_value, user_text
from spanloom.spans.table import PREVIEW_CHARACTERS
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SpanDetail, TraceCard
from spanloom.warehouse.queries.ask import TooBig, ask
from spanloom.warehouse.queries.sessions.page import session_cards
from spanloom.warehouse.queries.traces.tree import WHOLE_COLUMNS, whole_span

MOST_SPANS = 50_000
"""Spans that are given of a session or a trace: one trace of that many takes a minute."""

_TRACES_AT_ONCE = 25
_SPANS_AT_ONCE = 32

_MOST_CHARACTERS = 1 << 21
"""Of a text in which the whole of a question or an answer is looked for: as long as inputs are by default, twice."""


class _Head(NamedTuple):
    trace_id: str
    span_id: str
    parent_span_id: str
    status: str


@dataclass(frozen=True)
class TracePart:
    """Some spans of a trace of a session, in order.

    Attributes:
        trace: the trace's row. Its `input` and `output` are whole here, not previews.
        spans: by start, then the longest first.
        led_to: those failed spans of the trace (their IDs) below which another one failed, so no error began there.
        begins, ends: whether these are its first spans, and its last.
        complete: whether all its spans have been given; only meant where it ends.
    """

    trace: TraceCard
    spans: list[SpanDetail]
    led_to: frozenset[str]
    begins: bool
    ends: bool
    complete: bool


async def whole_session(
    warehouse: Warehouse, session_id: str, project: str, most_spans: int = MOST_SPANS
) -> AsyncIterator[TracePart]:
    """Give the traces of a session by start and trace ID, each in one part or several, at most `most_spans` spans.

    Args:
        project: one visible to the caller.

    Raises what `ask` raises.
    """
    cursor = None
    left = most_spans
    while left > 0:
        page = await session_cards(warehouse, session_id, project, _TRACES_AT_ONCE, cursor)
        heads = await _heads(warehouse, project, [card.trace_id for card in page.rows], left + 1)
        of_trace: dict[str, list[_Head]] = {card.trace_id: [] for card in page.rows}
        for head in heads[:left]:
            of_trace[head.trace_id].append(head)
        cut = heads[left].trace_id if len(heads) > left else ""
        for card in page.rows:
            if cut == card.trace_id and not of_trace[cut]:
                return
            async for part in _trace(warehouse, project, card, of_trace[card.trace_id], card.trace_id != cut):
                yield part
            if cut == card.trace_id:
                return
        left -= len(heads)
        cursor = page.next
        if cursor is None:
            return


async def _trace(
    warehouse: Warehouse, project: str, card: TraceCard, heads: list[_Head], complete: bool
) -> AsyncIterator[TracePart]:
    failed = {head.span_id for head in heads if head.status == "error"}
    led_to = frozenset(
        head.parent_span_id for head in heads if head.status == "error" and head.parent_span_id in failed
    )
    card = await _with_whole_texts(warehouse, project, card)
    if not heads:
        yield TracePart(card, [], led_to, True, True, complete)
    for at in range(0, len(heads), _SPANS_AT_ONCE):
        some = heads[at : at + _SPANS_AT_ONCE]
        rows = await _rows(warehouse, project, some, WHOLE_COLUMNS)
        ends = at + _SPANS_AT_ONCE >= len(heads)
        yield TracePart(card, [whole_span(row) for row in rows], led_to, at == 0, ends, complete)


_HEADS = """
SELECT
    trace_id,
    span_id,
    parent_span_id,
    status
FROM spans_versions FINAL
PREWHERE (project_id = {project:String}) AND (trace_id IN {traces:Array(String)})
ORDER BY
    indexOf({traces:Array(String)}, trace_id),
    start_time,
    end_time DESC,
    span_id
LIMIT {limit:UInt64}
"""

_ROWS = """
SELECT
    {columns}
FROM spans_versions AS s FINAL
PREWHERE (project_id, trace_id, span_id) IN {keys:Array(Tuple(String, String, String))}
"""


async def _heads(warehouse: Warehouse, project: str, traces: Sequence[str], limit: int) -> list[_Head]:
    parameters = {"project": project, "traces": list(traces), "limit": limit}
    return [_Head(**row) for row in await ask(warehouse, "list the spans of traces", _HEADS, parameters)]


async def _rows(
    warehouse: Warehouse, project: str, heads: Sequence[_Head], columns: str
) -> list[dict[str, Any]]:
    """The rows of some spans, in their order; those deleted in the meantime are missing."""
    keys = [(project, head.trace_id, head.span_id) for head in heads]
    try:
        rows = await ask(warehouse, "read spans", _ROWS.replace("{columns}", columns), {"keys": keys})
    except TooBig:
        if len(heads) == 1:
            raise
        half = len(heads) // 2
        return [
            row
            for some in (heads[:half], heads[half:])
            for row in await _rows(warehouse, project, some, columns)
        ]
    found = {(row["trace_id"], row["span_id"]): row for row in rows}
    order = ((head.trace_id, head.span_id) for head in heads)
    return [found[key] for key in order if key in found]


_TEXT = """
SELECT {side} AS text
FROM spans_versions FINAL
PREWHERE (project_id = {project:String}) AND (trace_id = {trace:String})
WHERE {side}_preview = {preview:String}
ORDER BY start_time, span_id
LIMIT 1
"""


async def _with_whole_texts(warehouse: Warehouse, project: str, card: TraceCard) -> TraceCard:
    """The card with the whole question and answer, where it has only their beginnings and a span says the whole."""
    whole = {}
    for side in ("input", "output"):
        preview = getattr(card, side)
        if len(preview) < PREVIEW_CHARACTERS:
            continue
        key = {"project": project, "trace": card.trace_id, "preview": preview}
        rows = await ask(warehouse, "read a trace's texts", _TEXT.replace("{side}", side), key)
        if rows:
            # In a thread: a megabyte of messages takes a while, and others wait.
            whole[side] = await asyncio.to_thread(whole_words, rows[0]["text"], preview)
    return card.model_copy(update=whole)


def whole_words(text: str, preview: str) -> str:
    """Return the words in a span's input or output of which the preview is the beginning; the preview if none begin so.

    Args:
        text: the input or output, a text or messages as JSON.
    """
    if len(text) > _MOST_CHARACTERS:
        return preview
    value = message_value(text)
    for words in (
        user_text(value),
        assistant_text(value),
        any_text(value),
        recorded(text, "user", len(text)).text,
        recorded(text, "assistant", len(text)).text,
        text,
    ):
        if words.startswith(preview):
            return words
    return preview


_OTLP_COLUMNS = """trace_id,
    span_id,
    parent_span_id,
    s.name AS name,
    toUnixTimestamp64Nano(s.start_time) AS start_time,
    toUnixTimestamp64Nano(s.end_time) AS end_time,
    status,
    status_message,
    scope,
    marks,
    all_attributes AS attributes,
    resource,
    events.name AS event_names,
    arrayMap(time -> toUnixTimestamp64Nano(time), events.time) AS event_times,
    events.attributes AS event_attributes"""


async def count_spans(warehouse: Warehouse, project: str, trace_id: str) -> int:
    """Return how many spans of a trace are stored."""
    sql = """
SELECT count() AS spans
FROM spans_versions FINAL
PREWHERE (project_id = {project:String}) AND (trace_id = {trace:String})
"""
    key = {"project": project, "trace": trace_id.lower()}
    [row] = await ask(warehouse, "count the spans of a trace", sql, key)
    return int(row["spans"])


async def stored_rows(
    warehouse: Warehouse, project: str, trace_id: str, most_spans: int = MOST_SPANS
) -> AsyncIterator[list[Mapping[str, Any]]]:
    """Give the spans of a trace by start, as `spanloom.spans.reading.stored.otlp` takes them.

    Args:
        project: one visible to the caller.

    Raises what `ask` raises.
    """
    heads = await _heads(warehouse, project, [trace_id.lower()], most_spans)
    for at in range(0, len(heads), _SPANS_AT_ONCE):
        rows = await _rows(warehouse, project, heads[at : at + _SPANS_AT_ONCE], _OTLP_COLUMNS)
        yield [_stored(row) for row in rows]


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    names, times, attributes = (row.pop(f"event_{part}") for part in ("names", "times", "attributes"))
    events = [
        {"name": name, "time": time, "attributes": list(pairs.items())}
        for name, time, pairs in zip(names, times, attributes, strict=True)
    ]
    pairs = {name: list(row[name].items()) for name in ("attributes", "resource")}
    return row | pairs | {"events": events}
