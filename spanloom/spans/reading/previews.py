"""The input and output of a span, and the previews of them that lists and traces show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.registry import PLAIN, PROMPTS
from spanloom.spans.messages.events import event_messages
from spanloom.spans.messages.flattened import FlattenedAttribute, assemble
from spanloom.spans.messages.texts import assistant_text, message_value, user_text
from spanloom.spans.reading.row import EventRow
from spanloom.spans.table import INPUT_IS_MESSAGE, OUTPUT_IS_MESSAGE, PREVIEW_CHARACTERS
from spanloom.spans.text.values import json_text, valid_text

# Fields of input and output stand in the same order in each group.
_TOOL = Field.TOOL_INPUT - Field.INPUT
_FLATTENED = Field.INPUT_FLATTENED - Field.INPUT

_INPUT = int(Field.INPUT)

_UNPARSED = object()


class Chosen(NamedTuple):
    """The input or output of a span."""

    text: str
    """The attribute's text as it stands, or messages put together as JSON."""
    value: Any = _UNPARSED
    """The message value, where it is at hand already."""
    is_prompt: bool = False
    """A text that is no JSON is the user's prompt itself."""


_NOTHING = Chosen("")


def chosen(
    field: int,
    values: Sequence[Any],
    ranks: Sequence[int],
    flattened: Sequence[tuple[int, int, FlattenedAttribute]],
    span_type: str,
) -> Chosen:
    """The input or output that attributes name: that of the best-ranked key, flattened ones included.

    What a tool was called with and what it returned comes first on a TOOL span, and last on any other.
    """
    text: str | None = values[field]
    tool: str | None = values[field + _TOOL]
    if tool is not None and (text is None or span_type == "TOOL"):
        return Chosen(tool)
    rank = ranks[field]
    if flattened and (best := _best(flattened, field + _FLATTENED, rank)):
        messages = assemble(best)
        if messages:
            return Chosen(json_text(messages), messages)
    if text is None:
        return _NOTHING
    if (field, rank) in PLAIN:
        return Chosen(text, text)
    return Chosen(text, is_prompt=field == _INPUT and rank in PROMPTS)


def _best(
    flattened: Sequence[tuple[int, int, FlattenedAttribute]], field: int, rank: int
) -> list[FlattenedAttribute]:
    """The flattened of this field that rank best, if that is better than `rank`."""
    best: list[FlattenedAttribute] = []
    for of_field, of_rank, attribute in flattened:
        if of_field == field:
            if of_rank < rank:
                rank = of_rank
                best = [attribute]
            elif best and of_rank == rank:
                best.append(attribute)
    return best


def from_events(events: Sequence[EventRow]) -> tuple[Chosen, Chosen]:
    """The input and output that events carry, for spans whose attributes name none."""
    given, answered = event_messages([(event.name, event.attributes) for event in events])
    return _from_messages(given), _from_messages(answered)


def _from_messages(messages: object) -> Chosen:
    if not messages:
        return _NOTHING
    text = valid_text(messages) if isinstance(messages, str) else json_text(messages)
    return Chosen(text, messages)


def input_preview(given: Chosen, span_type: str, is_root: bool) -> tuple[str, int]:
    """What the user said last in an LLM call, else the start of a root's input; and its bit of
    `preview_kind`. Chat messages can hold lone surrogates."""
    if not given.text:
        return "", 0
    if span_type == "LLM":
        value = _value(given)
        if given.is_prompt and isinstance(value, str):
            words = valid_text(value)[:PREVIEW_CHARACTERS]
        else:
            words = user_text(value, PREVIEW_CHARACTERS)
        if words:
            return words, INPUT_IS_MESSAGE
    return (given.text[:PREVIEW_CHARACTERS], 0) if is_root else ("", 0)


def output_preview(given: Chosen, span_type: str, is_root: bool) -> tuple[str, int]:
    """What the assistant answered in an LLM call, else the start of a root's output; and its bit. The answer
    can hold lone surrogates."""
    if not given.text:
        return "", 0
    if span_type == "LLM":
        words = assistant_text(_value(given), PREVIEW_CHARACTERS)
        if words:
            return words, OUTPUT_IS_MESSAGE
    return (given.text[:PREVIEW_CHARACTERS], 0) if is_root else ("", 0)


def _value(given: Chosen) -> object:
    return message_value(given.text) if given.value is _UNPARSED else given.value
