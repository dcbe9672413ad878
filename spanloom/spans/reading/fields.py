"""What the attributes of one span say, all together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import FIRST_MERGED, Field
from spanloom.spans.conventions.registry import NOT_READ
from spanloom.spans.reading.attributes import Attribute, Attributes, Said

_CUT = int(Field.CUT)
_NO_VALUES: list[Any] = [None] * FIRST_MERGED
_NO_RANKS = [NOT_READ] * FIRST_MERGED


class Found(NamedTuple):
    """What the attributes of a span say."""

    keys: Sequence[str]
    """The attributes' keys, each once, in the order in which they were sent."""
    texts: Sequence[str]
    """The text of each."""
    values: list[Any]
    """The value of each field, None where no key names it."""
    ranks: list[int]
    """The rank of the key that names each field, NOT_READ where none does."""
    labels: list[Said]
    """Field (TAGS, METADATA), rank and value of every key that names one."""
    pieces: list[Said]
    """Field (INPUT_PIECES, OUTPUT_PIECES), rank and piece of every flattened message key."""
    cut: bool
    """Some attributes were left out, or cut."""


def find(raws: Sequence[bytes], reader: Attributes, limit: int) -> Found:
    """Reads the attributes of a span, each the bytes of a KeyValue; at most `limit` are kept."""
    if len(raws) > limit:
        return _gather(_dearest(raws, reader, limit), cut=True)
    return _gather(reader.read_all(raws), cut=False)


def _gather(attributes: Sequence[Attribute], *, cut: bool) -> Found:
    values = _NO_VALUES[:]
    ranks = _NO_RANKS[:]
    labels: list[Said] = []
    pieces: list[Said] = []
    if not attributes:
        return Found([], [], values, ranks, labels, pieces, cut)
    keys, texts, says = zip(*attributes, strict=True)
    if len(set(keys)) < len(keys):
        # A key that stands twice is against the specification; the last one counts, as in a map of protobuf.
        return _gather(list({found[0]: found for found in attributes}.values()), cut=cut)
    for said in chain.from_iterable(says):
        field, rank, value = said
        if field < FIRST_MERGED:
            if rank < ranks[field]:
                values[field] = value
                ranks[field] = rank
        elif field < _CUT:
            labels.append(said)
        elif field == _CUT:
            cut = True
        else:
            pieces.append(said)
    return Found(keys, texts, values, ranks, labels, pieces, cut)


def _dearest(raws: Sequence[bytes], reader: Attributes, limit: int) -> list[Attribute]:
    """So many of the attributes: those that say something first, then the others, as they were sent."""
    telling: list[Attribute] = []
    others: list[Attribute] = []
    for found in reader.read_each(raws):
        kept = telling if found[2] else others
        if len(kept) < limit:
            kept.append(found)
    return (telling + others)[:limit]
