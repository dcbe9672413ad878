"""Which attribute gave each field of a span, and which others lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spanloom.spans.conventions.fields import FIRST_MERGED, WHOLE, Field
from spanloom.spans.conventions.registry import NOT_READ
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.reading.rows.fields import SpanFields
from spanloom.spans.reading.rows.notes import SpanNotes
from spanloom.spans.reading.span.previews import IN_EVENTS, NOWHERE
from spanloom.spans.reading.wire.attributes import Attribute

_TEXTS = {
    Field.INPUT: (Field.INPUT, Field.INPUT_FLATTENED, Field.TOOL_INPUT),
    Field.OUTPUT: (Field.OUTPUT, Field.OUTPUT_FLATTENED, Field.TOOL_OUTPUT),
}
"""The fields whose keys compete for an input or output."""

_COMPETE = frozenset(field for fields in _TEXTS.values() for field in fields)


@dataclass(frozen=True, slots=True)
class Given:
    """An attribute that gives a field."""

    key: str
    """The attribute's key, or what else gives it."""
    text: str
    value: str
    """What is read out of the text."""


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a field is from."""

    field: str
    """As docs/conventions.md names it."""
    given: Sequence[Given]
    """What gives it: one, but for fields that take all they are given."""
    lost: Sequence[Given] = ()
    """What would give it, too, but ranks lower."""


def field_sources(notes: SpanNotes, span_type: str) -> list[FieldSource]:
    """Where each field of a span is from, in the order of the fields; those that nothing gives are left out."""
    fields = notes.fields
    assert fields is not None, "a span that was read has its fields"
    attributes = _as_a_map(notes.attributes)
    found = []
    for field in Field:
        if field in _TEXTS:
            source = notes.input_source if field is Field.INPUT else notes.output_source
            found.append(_text(field, source, attributes, fields))
        elif field < FIRST_MERGED and field not in _COMPETE:
            found.append(_best(field, fields.ranks[field], attributes))
        elif field in (Field.TAGS, Field.METADATA):
            found.append(FieldSource(field.name.lower(), [given for _, given in _giving(field, attributes)]))
    if fields.ranks[Field.SPAN_TYPE] == NOT_READ:
        found.append(_type(span_type, fields))
    return [source for source in found if source.given]


def unread(notes: SpanNotes, vocabulary: Vocabulary) -> list[Given]:
    """Attributes whose key is known, but that say nothing valid: each counts as absent."""
    return [
        Given(key, text, "")
        for key, text, values in _as_a_map(notes.attributes)
        if not values and text and vocabulary.rules[key]
    ]


def _as_a_map(attributes: Iterable[Attribute]) -> Sequence[Attribute]:
    """Of a key that stands twice the last one counts, as when the span is read."""
    return list({each[0]: each for each in attributes}.values())


def _giving(field: int, attributes: Iterable[Attribute]) -> list[tuple[int, Given]]:
    """Rank and attribute of all that give a field, the best first."""
    found = [
        (rank, Given(key, text, _shown(field, value)))
        for key, text, values in attributes
        for of_field, rank, value in values
        if of_field == field
    ]
    return sorted(found, key=lambda each: each[0])


def _best(field: Field, rank: int, attributes: Sequence[Attribute]) -> FieldSource:
    """A field that takes the best key; `rank` is what it took."""
    giving = _giving(field, attributes)
    at = next((at for at, (of_rank, _) in enumerate(giving) if of_rank == rank), None)
    if at is None:
        return FieldSource(field.name.lower(), [])
    lost = [given for each, (_, given) in enumerate(giving) if each != at]
    return FieldSource(field.name.lower(), [giving[at][1]], lost)


def _text(field: Field, source: int, attributes: Sequence[Attribute], fields: SpanFields) -> FieldSource:
    """An input or output, for which keys of several kinds compete."""
    name = field.name.lower()
    competing = {each: _giving(each, attributes) for each in _TEXTS[field]}
    if source == NOWHERE:
        return FieldSource(name, [])
    if source == IN_EVENTS:
        return FieldSource(name, [Given("events of the span that hold messages", "", "")])
    giving = competing.pop(Field(source))
    whole = len(giving)
    if source in (Field.INPUT_FLATTENED, Field.OUTPUT_FLATTENED):
        # All attributes of the best rank are the parts of one value.
        whole = sum(rank == giving[0][0] for rank, _ in giving)
        lost = giving[whole:]
    else:
        at = next(at for at, (rank, _) in enumerate(giving) if rank == fields.ranks[source])
        lost = [*giving[:at], *giving[at + 1 :]]
        giving, whole = [giving[at]], 1
    others = [each for some in competing.values() for each in some]
    return FieldSource(name, [given for _, given in giving[:whole]], [given for _, given in (*lost, *others)])


def _type(span_type: str, fields: SpanFields) -> FieldSource:
    """The type of a span that no key gives."""
    if span_type == "DEFAULT":
        return FieldSource("span_type", [])
    why = (
        "it states usage" if fields.ranks[Field.SPAN_TYPE_IF_USED] != NOT_READ else "it has usage and a model"
    )
    return FieldSource("span_type", [Given(f"no key gives it, but {why}", "", span_type)])


def _shown(field: int, value: Any) -> str:
    if field in WHOLE:
        return str(value[1])  # beside the rest of the attribute's name
    if isinstance(value, tuple):
        return ", ".join(_pair(each) for each in value)
    return str(value)


def _pair(value: Any) -> str:
    return f"{value[0]} = {value[1]}" if isinstance(value, tuple) else str(value)
