"""Which spans of a message bear witness to what was asked and answered in their trace: the outermost that record it.

The trace fold needs the outermost span of a trace, no call and no tool, that records an input or output. A message has
a part of the trace: what lies around a span in the message lies around it in the trace, so of the rest nothing needs to
travel. Only the message itself decides, so that the same record always gives the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from spanloom.spans.reading.columns import Head
from spanloom.spans.reading.previews import NO_PREVIEW, is_its_failure, recorded_preview, said_rest
from spanloom.spans.reading.row import SpanRow
from spanloom.spans.table import INPUT_OF_TRACE, OUTPUT_OF_TRACE

_NO_WITNESSES = frozenset(("LLM", "TOOL"))


def bear_witness(rows: list[SpanRow], heads: Sequence[Head], first: int) -> None:
    """Give the outermost of the rows from `first` on, those of one message, previews of what they recorded."""
    recorders = {
        (heads[at][0], heads[at][1])
        for at in range(first, len(rows))
        if (row := rows[at]).span_type not in _NO_WITNESSES and (row.input or row.output)
    }
    if not recorders:
        return
    parents = {(trace, span): (trace, parent) for trace, span, parent, *_ in heads[first:]}
    inside: dict[tuple[bytes, bytes], bool] = {}
    for at in range(first, len(rows)):
        span = (heads[at][0], heads[at][1])
        if span in recorders and not _lies_in_another(span, parents, recorders, inside):
            # Whatever a form of messages trips over costs this one preview.
            with suppress(Exception):
                rows[at] = _with_previews(rows[at])


def _lies_in_another(
    span: tuple[bytes, bytes],
    parents: dict[tuple[bytes, bytes], tuple[bytes, bytes]],
    recorders: set[tuple[bytes, bytes]],
    inside: dict[tuple[bytes, bytes], bool],
) -> bool:
    """Whether one of the recorders lies around a span. `inside` remembers it for each span that was passed."""
    passed = []
    current, found = span, False
    while current in parents and current not in inside:
        inside[current] = False  # ends circles
        passed.append(current)
        current = parents[current]
        if current in recorders:
            found = True
            break
    else:
        found = inside.get(current, False)
    for each in passed:
        inside[each] = found
    return found


def _with_previews(row: SpanRow) -> SpanRow:
    asked = answered = NO_PREVIEW
    if not row.marks & INPUT_OF_TRACE:
        asked = recorded_preview(row.input, "user")
        row = row._replace(input_preview=asked.text, input_texts=asked.others, marks=row.marks | asked.marks)
    if not row.marks & OUTPUT_OF_TRACE and not is_its_failure(row.output, row.events):
        answered = recorded_preview(row.output, "assistant")
        row = row._replace(
            output_preview=answered.text, output_texts=answered.others, marks=row.marks | answered.marks
        )
    if asked.rest or answered.rest:
        row = row._replace(said_rest=said_rest(row.said_rest, asked.rest, answered.rest))
    return row
