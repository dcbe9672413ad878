"""The input and output of a span, and the previews of them that lists and traces show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.messages.events import event_messages
from spanloom.spans.messages.finding import newest_first
from spanloom.spans.messages.flattened import FlattenedAttribute, assemble
from spanloom.spans.messages.recorded import recorded
from spanloom.spans.messages.texts import any_text, assistant_text, message_value, user_text
from spanloom.spans.messages.turns import Side
from spanloom.spans.reading.span.row import NO_PREVIEW, EventRow, Preview
from spanloom.spans.table import (
    INPUT_IS_MESSAGE,
    INPUT_IS_TEXT,
    LONGEST_SEARCH,
    OUTPUT_IS_MESSAGE,
    OUTPUT_IS_TEXT,
    PREVIEW_CHARACTERS,
)
from spanloom.spans.text.values import json_text, valid_text

# Fields of input and output stand in the same order in each group.
_TOOL = Field.TOOL_INPUT - Field.INPUT
_FLATTENED = Field.INPUT_FLATTENED - Field.INPUT

_INPUT = int(Field.INPUT)

_UNPARSED = object()

_NOTHING_IN_JSON = frozenset(("{}", "[]", "null", '""'))
_SHORT = 16
"""JSON of nothing in more characters than this is not looked for."""

_LONGEST = 1 << 20
"""Characters of a message that are read where it is longer than a preview."""

_REST = PREVIEW_CHARACTERS - LONGEST_SEARCH
"""Where the rest begins: what lies across the cut is found in it."""

_IS_MESSAGE: Mapping[Side, int] = {"user": INPUT_IS_MESSAGE, "assistant": OUTPUT_IS_MESSAGE}
_IS_TEXT: Mapping[Side, int] = {"user": INPUT_IS_TEXT, "assistant": OUTPUT_IS_TEXT}


NOWHERE = -1
IN_EVENTS = -2


class Chosen(NamedTuple):
    """The input or output of a span."""

    text: str
    """The attribute's text as it stands, or messages put together as JSON."""
    value: Any = _UNPARSED
    """The message value, where it is at hand already."""
    is_prompt: bool = False
    """A text that is no JSON is the user's prompt itself."""

    source: int = NOWHERE
    """The field whose key named it: INPUT, TOOL_INPUT, INPUT_FLATTENED or those of the output; else IN_EVENTS."""


_NOTHING = Chosen("")


def chosen(
    field: int,
    values: Sequence[Any],
    ranks: Sequence[int],
    flattened: Sequence[tuple[int, int, FlattenedAttribute]],
    span_type: str,
    vocabulary: Vocabulary,
) -> Chosen:
    """The input or output that attributes name: that of the best-ranked key, flattened ones included.

    What a tool was called with and what it returned comes first on a TOOL span, and last on any other.
    """
    text: str | None = values[field]
    tool: str | None = values[field + _TOOL]
    if tool is not None and (text is None or span_type == "TOOL"):
        return Chosen(tool, source=field + _TOOL)
    rank = ranks[field]
    if flattened and (best := _best(flattened, field + _FLATTENED, rank)):
        messages = assemble(best)
        # Nothing but roles: whoever wrote them could not read what was said.
        if messages and (text is None or any(message.keys() - {"role"} for message in messages)):
            return Chosen(json_text(messages), messages, source=field + _FLATTENED)
    if text is None:
        return _NOTHING
    if (field, rank) in vocabulary.plain:
        return Chosen(text, text, source=field)
    return Chosen(text, source=field, is_prompt=field == _INPUT and rank in vocabulary.prompts)


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
    return Chosen(text, messages, source=IN_EVENTS)


def message_preview(given: Chosen, side: Side) -> Preview:
    """What the user said last in an LLM call, or what the assistant answered; where there is no such message, what else
    was recorded. Chat messages can hold lone surrogates."""
    if not given.text:
        return NO_PREVIEW
    value = _value(given)
    longest = _LONGEST if len(given.text) > PREVIEW_CHARACTERS else PREVIEW_CHARACTERS
    if side == "assistant":
        words = assistant_text(value, longest)
    elif given.is_prompt and isinstance(value, str):
        words = valid_text(value)
    else:
        words = user_text(value, longest)
    if words:
        return _preview(words, (), _IS_MESSAGE[side])
    if side == "user" and (words := any_text(value, longest)):
        return _preview(words, (), INPUT_IS_TEXT)
    # A message without words, such as a pure tool call, has nothing to show.
    is_message = any(turn is not None for turn in newest_first(value, side))
    return NO_PREVIEW if is_message else recorded_preview(given.text, side)


def is_nothing(text: str | None) -> bool:
    """Whether a text is empty, or JSON of nothing: LangSmith writes `{}` for what a run that failed returned."""
    return not text or (len(text) < _SHORT and "".join(text.split()) in _NOTHING_IN_JSON)


def recorded_preview(text: str, side: Side) -> Preview:
    """What a span that is no call of a model recorded: its words, else how its JSON begins."""
    if is_nothing(text):
        return NO_PREVIEW
    words, others = recorded(text, side, PREVIEW_CHARACTERS)
    if len(words) == PREVIEW_CHARACTERS:
        words, _ = recorded(text, side, _LONGEST)
    if words:
        return _preview(words, others, _IS_TEXT[side])
    return _preview(text, others, 0)


def _preview(words: str, others: tuple[str, ...], marks: int) -> Preview:
    if len(words) <= PREVIEW_CHARACTERS:
        return Preview(words, others, marks)
    return Preview(words[:PREVIEW_CHARACTERS], others, marks, words[_REST:])


def is_its_failure(text: str, events: Sequence[EventRow]) -> bool:
    """Whether an output is the exception that ended its span, which some write where the answer would stand."""
    for event in events:
        if event.name == "exception":
            message = event.attributes.get("exception.message", "")
            kind = event.attributes.get("exception.type", "").rpartition(".")[2]
            if message and (text == message or (kind and text.startswith(kind) and message in text)):
                return True
    return False


def _value(given: Chosen) -> object:
    return message_value(given.text) if given.value is _UNPARSED else given.value
