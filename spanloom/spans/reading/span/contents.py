"""What a span was given and gave: its input and output, and the previews of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.messages.flattened import FlattenedAttribute
from spanloom.spans.reading.span.previews import (
    Chosen,
    chosen,
    from_events,
    is_its_failure,
    is_nothing,
    message_preview,
    recorded_preview,
)
from spanloom.spans.reading.span.row import NO_PREVIEW, EventRow, Preview
from spanloom.spans.table import INPUT_OF_TRACE, OUTPUT_OF_TRACE

_INPUT = int(Field.INPUT)
_OUTPUT = int(Field.OUTPUT)
_TRACE_INPUT = int(Field.TRACE_INPUT)
_TRACE_OUTPUT = int(Field.TRACE_OUTPUT)


class Contents(NamedTuple):
    """Input and output of a span, and the previews of them."""

    input: Chosen
    output: Chosen
    asked: Preview
    answered: Preview


def contents_of(
    values: Sequence[Any],
    ranks: Sequence[int],
    flattened: Sequence[tuple[int, int, FlattenedAttribute]],
    span_type: str,
    events: Sequence[EventRow],
    vocabulary: Vocabulary,
) -> Contents:
    """Return what a span was given and gave.

    Args:
        values: the span's fields, likewise `ranks` and `flattened`.
        events: with their texts whole, for those may be messages in JSON.
    """
    given = chosen(_INPUT, values, ranks, flattened, span_type, vocabulary)
    answer = chosen(_OUTPUT, values, ranks, flattened, span_type, vocabulary)
    if events and not (given.text and answer.text):
        event_input, event_output = from_events(events)
        given = given if given.text else event_input
        answer = answer if answer.text else event_output
    asked = answered = NO_PREVIEW
    if span_type == "LLM":
        asked, answered = message_preview(given, "user"), message_preview(answer, "assistant")
        if events and is_its_failure(answer.text, events):
            answered = NO_PREVIEW
    if not is_nothing(values[_TRACE_INPUT]):
        asked = recorded_preview(values[_TRACE_INPUT], "user").of_trace(INPUT_OF_TRACE)
    if not is_nothing(values[_TRACE_OUTPUT]):
        answered = recorded_preview(values[_TRACE_OUTPUT], "assistant").of_trace(OUTPUT_OF_TRACE)
    return Contents(given, answer, asked, answered)
