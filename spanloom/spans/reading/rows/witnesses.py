"""Which spans of a message bear witness to what was asked and answered in their trace: the outermost that record it.

The trace fold needs the outermost span of a trace, no call and no tool, that records an input or output; and where that
one's output is no words, the outermost ones inside it whose output is. A message has a part of the trace: what lies
around a span in the message lies around it in the trace, so of the rest nothing needs to travel. A tool that nothing
recorded around may be a function that asks a model: where no other span has words, its own are asked for. Only the
message itself decides, so that the same record always gives the same rows.
"""

from __future__ import annotations

from contextlib import suppress

from spanloom.spans.reading.rows.table import Columns
from spanloom.spans.reading.span.previews import is_nothing, recorded_preview
from spanloom.spans.reading.span.row import SpanRow
from spanloom.spans.table import INPUT_OF_TRACE, OUTPUT_IS_TEXT, OUTPUT_OF_TRACE

_RECORDED = 1
_TOLD = 2
_TOOL = 4
"""At a span or around it something was recorded; an output in words; something by a tool."""


def bear_witness(columns: Columns, first: int) -> None:
    """Give the outermost of the rows from `first` on, those of one message, previews of what they recorded."""
    rows, heads = columns.rows, columns.heads
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
            if _records(rows[at]):
                is_tool = rows[at].span_type == "TOOL"
                if not around & (_RECORDED | _TOOL if is_tool else _TOLD):
                    # Whatever a form of messages trips over costs this one preview.
                    with suppress(Exception):
                        _preview(columns, at, around)
                if is_tool:
                    around |= _TOOL
                else:
                    around |= _RECORDED | (_TOLD if columns.answered[at].marks & OUTPUT_IS_TEXT else 0)
            known[at] = around


def _records(row: SpanRow) -> bool:
    return not (is_nothing(row.input) and is_nothing(row.output)) and row.span_type != "LLM"


def _preview(columns: Columns, at: int, around: int) -> None:
    row = columns.rows[at]
    if not around & _RECORDED and not columns.asked[at].marks & INPUT_OF_TRACE:
        columns.asked[at] = recorded_preview(row.input, "user")
    if not columns.answered[at].marks & OUTPUT_OF_TRACE:
        columns.answered[at] = recorded_preview(row.output, "assistant")
