"""The attributes of many spans: each distinct one is read once.

Most attributes of most spans are sent over and over (a model, a version, a flag): of sixteen on a span four are new. So
what they say is worked out for the distinct ones, and given to the spans by numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from spanloom.spans.reading.columns.key_values import read_key_values
from spanloom.spans.reading.columns.wire import Indices, flat
from spanloom.spans.reading.wire.attributes import CUT, Attributes, FieldValue


class AttributeColumns(NamedTuple):
    """The attributes of spans, one behind the other; of a key that stands twice on a span the last one counts."""

    owner: Indices
    """For each attribute the index of its span, ascending."""
    which: Indices
    """For each attribute the index of what it says in `key`, `texts` and `says`."""
    names: Sequence[str]
    key: Indices
    """For each that is distinct the index of its key in `names`, in which none stands twice."""
    texts: pa.StringArray
    says: Sequence[Sequence[FieldValue]]
    """The field values that it gives."""

    def maps(self, spans: int) -> tuple[pa.Array, pa.StringArray, pa.StringArray]:
        """Return offsets, keys and texts of a column of maps."""
        offsets = np.searchsorted(self.owner, np.arange(spans + 1)).astype(np.int32)
        keys = pa.array(self.names, pa.string()).take(pa.array(self.key[self.which]))
        return pa.array(offsets), keys, self.texts.take(pa.array(self.which))


def read_attributes(
    lists: pa.ListArray, reader: Attributes, limit: int
) -> tuple[AttributeColumns, Collection[int]]:
    """Read the attributes of spans, lists of the bytes of KeyValues, at most `limit` of each.

    Returns:
        The attributes, and the indices of spans of which some were left out or cut.
    """
    raws, owner = flat(lists)
    encoded = raws.dictionary_encode()
    place, names, key, texts, says = read_key_values(encoded.dictionary, reader)
    found = AttributeColumns(owner, place[np.asarray(encoded.indices)], names, key, texts, says)
    many = np.flatnonzero(np.diff(np.asarray(lists.offsets)) > limit).tolist()
    if many:
        found = _telling_first(found, many, limit)
    found = _each_once(found)
    is_cut = np.fromiter((CUT in each for each in says), bool, len(says))
    return found, {*many, *found.owner[is_cut[found.which]].tolist()}


def _telling_first(given: AttributeColumns, owners: Sequence[int], limit: int) -> AttributeColumns:
    """Of spans with more attributes than that, first those that give a field, then the others, as they were sent."""
    kept = np.ones(len(given.owner), bool)
    order = np.arange(len(given.owner))
    for owner in owners:
        first, end = np.searchsorted(given.owner, [owner, owner + 1]).tolist()
        gives = np.fromiter((bool(given.says[which]) for which in given.which[first:end]), bool, end - first)
        at = np.concatenate((np.flatnonzero(gives), np.flatnonzero(~gives))) + first
        order[first:end] = at
        kept[first + limit : end] = False
    which = order[kept]
    return given._replace(owner=given.owner[which], which=given.which[which])


def _each_once(given: AttributeColumns) -> AttributeColumns:
    """Of a key that stands twice on a span the last text, where the first stood: as in a map of protobuf."""
    one = given.owner * np.int64(len(given.names)) + given.key[given.which]
    in_order = np.sort(one)
    if not (in_order[1:] == in_order[:-1]).any():
        return given
    each, first, which = np.unique(one, return_index=True, return_inverse=True)
    last = np.empty(len(each), np.int64)
    last[which] = np.arange(len(one))
    kept = np.sort(first)
    return given._replace(owner=given.owner[kept], which=given.which[last[which[kept]]])


def with_notes(given: AttributeColumns, notes: Mapping[int, Mapping[str, str]]) -> AttributeColumns:
    """Add attributes to some spans: behind those that were sent, or in the place of one of that name.

    Args:
        notes: by the index of a span keys and texts.
    """
    if not notes:
        return given
    number = {name: at for at, name in enumerate(given.names)}
    keys, says = given.key.tolist(), list(given.says)
    texts: list[str] = []
    which = given.which.copy()
    behind: list[int] = []
    added: list[int] = []
    owners: list[int] = []
    for owner in sorted(notes):
        first, end = np.searchsorted(given.owner, [owner, owner + 1]).tolist()
        there = {keys[which[at]]: at for at in range(first, end)}
        for name, text in notes[owner].items():
            key = number.setdefault(name, len(number))
            keys.append(key)
            texts.append(text)
            says.append(())
            if key in there:
                which[there[key]] = len(keys) - 1
            else:
                behind.append(end)
                added.append(len(keys) - 1)
                owners.append(owner)
    return AttributeColumns(
        np.insert(given.owner, behind, owners),
        np.insert(which, behind, added),
        list(number),
        np.array(keys, np.int32),
        pa.concat_arrays([given.texts, pa.array(texts, pa.string())]),
        says,
    )


class FieldValues(NamedTuple):
    """The field values of spans, one behind the other."""

    owner: Indices
    """For each the index of its span."""
    which: Indices
    """For each its index in `said`."""
    said: Sequence[FieldValue]


def field_values(attributes: AttributeColumns) -> FieldValues:
    """Return what attributes say of their spans, in the order in which they stand."""
    count = np.fromiter(map(len, attributes.says), np.int32, len(attributes.says))
    begin = np.cumsum(count) - count
    times = count[attributes.which]
    telling = np.flatnonzero(times)
    times = times[telling]
    owner = np.repeat(attributes.owner[telling], times)
    first = np.repeat(begin[attributes.which[telling]], times)
    behind = np.arange(len(owner)) - np.repeat(np.cumsum(times) - times, times)
    return FieldValues(owner, (first + behind).astype(np.int32), list(chain.from_iterable(attributes.says)))
