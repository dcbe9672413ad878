"""Which spans of a message bear witness to what was asked and answered in their trace: the outermost that record it.

The trace fold needs the outermost span of a trace, no call and no tool, that records an input or output; and where that
one's output is no words, the outermost ones inside it whose output is. A message has a part of the trace: what lies
around a span in the message lies around it in the trace, so of the rest nothing needs to travel. Only the message
itself decides, so that the same record always gives the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from spanloom.spans.reading.columns import Head
from spanloom.spans.reading.previews import NO_PREVIEW, recorded_preview, said_rest
from spanloom.spans.reading.row import SpanRow
from spanloom.spans.table import INPUT_OF_TRACE, OUTPUT_IS_TEXT, OUTPUT_OF_TRACE

_NO_WITNESSES = frozenset(("LLM", "TOOL"))

_RECORDED = 1
_TOLD = 2
"""At a span or around it something was recorded; an output in words."""


def bear_witness(rows: list[SpanRow], heads: Sequence[Head], first: int) -> None:
    """Give the outermost of the rows from `first` on, those of one message, previews of what they recorded."""
    position = {head[0] + head[1]: at for at, head in enumerate(heads[first:], first)}
    known: dict[int, int] = {}
    for start in range(first, len(rows)):
        if start in known or not _records(rows[start]):
            continue
        path = []
        at: int | None = start
        while at is not None and at not in known:
            known[at] = 0  # ends circles
            path.append(at)
            head = heads[at]
            at = position.get(head[0] + head[2])
        around = 0 if at is None else known[at]
        for at in reversed(path):
            row = rows[at]
            if _records(row):
                if not around & _TOLD:
                    # Whatever a form of messages trips over costs this one preview.
                    with suppress(Exception):
                        row = rows[at] = _with_previews(row, around)
                around |= _RECORDED | (_TOLD if row.marks & OUTPUT_IS_TEXT else 0)
            known[at] = around


def _records(row: SpanRow) -> bool:
    return bool(row.input or row.output) and row.span_type not in _NO_WITNESSES


def _with_previews(row: SpanRow, around: int) -> SpanRow:
    asked = answered = NO_PREVIEW
    if not around & _RECORDED and not row.marks & INPUT_OF_TRACE:
        asked = recorded_preview(row.input, "user")
        row = row._replace(input_preview=asked.text, input_texts=asked.others, marks=row.marks | asked.marks)
    if not around & _TOLD and not row.marks & OUTPUT_OF_TRACE:
        answered = recorded_preview(row.output, "assistant")
        row = row._replace(
            output_preview=answered.text, output_texts=answered.others, marks=row.marks | answered.marks
        )
    if asked.rest or answered.rest:
        row = row._replace(said_rest=said_rest(row.said_rest, asked.rest, answered.rest))
    return row
