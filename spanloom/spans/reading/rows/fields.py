"""The fields of one span, out of all its attributes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import FIRST_MERGED, Field
from spanloom.spans.conventions.registry import NOT_READ
from spanloom.spans.reading.wire.attributes import Attribute, Attributes, FieldValue

_CUT = int(Field.CUT)
_NO_VALUES: list[Any] = [None] * FIRST_MERGED
_NO_RANKS = [NOT_READ] * FIRST_MERGED


class SpanFields(NamedTuple):
    """The attributes of a span, and the fields that they give."""

    keys: Sequence[str]
    """The attributes' keys, each once, in the order in which they were sent."""
    texts: Sequence[str]
    """The text of each."""
    values: list[Any]
    """The value of each field, None where no key names it."""
    ranks: list[int]
    """The rank of the key that names each field, NOT_READ where none does."""
    labels: list[FieldValue]
    """The labels: field (TAGS or METADATA), rank and value of every key that names one."""
    flattened: list[FieldValue]
    """Field (INPUT_FLATTENED, OUTPUT_FLATTENED), rank and flattened attribute of every key that spells a part of a
    message."""
    cut: bool
    """Some attributes were left out, or cut."""


def read_fields(raws: Sequence[bytes], reader: Attributes, limit: int) -> SpanFields:
    """Reads the attributes of a span, each the bytes of a KeyValue; at most `limit` are kept."""
    if len(raws) > limit:
        return _gather(_telling_first(raws, reader, limit), cut=True)
    return _gather(reader.read_all(raws), cut=False)


def _gather(attributes: Sequence[Attribute], *, cut: bool) -> SpanFields:
    values = _NO_VALUES[:]
    ranks = _NO_RANKS[:]
    labels: list[FieldValue] = []
    flattened: list[FieldValue] = []
    if not attributes:
        return SpanFields([], [], values, ranks, labels, flattened, cut)
    keys, texts, field_values = zip(*attributes, strict=True)
    if len(set(keys)) < len(keys):
        # A key that stands twice is against the specification; the last one counts, as in a map of protobuf.
        return _gather(list({found[0]: found for found in attributes}.values()), cut=cut)
    for field_value in chain.from_iterable(field_values):
        field, rank, value = field_value
        if field < FIRST_MERGED:
            if rank < ranks[field]:
                values[field] = value
                ranks[field] = rank
        elif field < _CUT:
            labels.append(field_value)
        elif field == _CUT:
            cut = True
        else:
            flattened.append(field_value)
    return SpanFields(keys, texts, values, ranks, labels, flattened, cut)


def _telling_first(raws: Sequence[bytes], reader: Attributes, limit: int) -> list[Attribute]:
    """At most `limit` attributes: first those that give a field, then the others, as they were sent."""
    telling: list[Attribute] = []
    others: list[Attribute] = []
    for found in reader.read_each(raws):
        kept = telling if found[2] else others
        if len(kept) < limit:
            kept.append(found)
    return (telling + others)[:limit]
