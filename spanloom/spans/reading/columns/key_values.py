"""Distinct attributes, each the bytes of a KeyValue, to keys, texts and field values.

Nearly all are a key and a text, or a number, in the one form in which encoders write them: where key and text lie is
worked out for all of them at once. What is read by a convention, and what has any other form, is read one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.registry import Rule
from spanloom.spans.reading.arrays import strings
from spanloom.spans.reading.columns.heads import valid_strings
from spanloom.spans.reading.columns.wire import Indices
from spanloom.spans.reading.wire.attributes import Attributes, FieldValue, values_by

_KEY = 0x0A
_VALUE = 0x12
_STRING = 0x0A

LONG = 256
"""An input or output of so many bytes is decoded only where it is read, and not kept decoded: all of them together
would leave the processor's cache before their turn comes."""

CONTENTS = frozenset(map(int, (Field.INPUT, Field.OUTPUT, Field.TOOL_INPUT, Field.TOOL_OUTPUT)))
"""The fields whose values are texts, or the bytes of long ones."""

_PADDING = bytes(1)
"""No attribute, but a byte: of nothing, none can be taken."""


class KeyValues(NamedTuple):
    """What attributes say, in an order of its own."""

    place: Indices
    """For each attribute that was given its index in `key`, `texts` and `says`."""
    names: list[str]
    key: Indices
    """For each the index of its key in `names`, in which none stands twice."""
    texts: pa.StringArray
    says: list[Sequence[FieldValue]]
    """The field values that it gives; of an input or output of LONG bytes the value is its bytes."""


class _Told(NamedTuple):
    """The rules of a key."""

    all: tuple[Rule, ...]
    whole: tuple[Rule, ...]
    """Those that take a text as the input or output that it is."""
    read: tuple[Rule, ...]
    """The others."""


class _Places(NamedTuple):
    """Where key and text of attributes lie; `usual` is whether they have the one form."""

    key: npt.NDArray[np.int64]
    key_end: npt.NDArray[np.int64]
    text: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    usual: npt.NDArray[np.bool_]


def read_key_values(raws: pa.BinaryArray, reader: Attributes) -> KeyValues:
    """Read distinct attributes: first come those of the usual form, then all others."""
    offsets = np.frombuffer(raws.buffers()[1], np.int32)[raws.offset : raws.offset + len(raws) + 1]
    buffer = raws.buffers()[2] or pa.py_buffer(_PADDING)
    places = _places(np.frombuffer(buffer, np.uint8), offsets.astype(np.int64))
    # In bytes, of which no text has fewer than characters.
    is_usual = places.usual & (places.key_end - places.key <= reader.longest_key)
    is_usual &= places.end - places.text <= reader.longest_text
    usual, unusual = np.flatnonzero(is_usual), np.flatnonzero(~is_usual)
    number: dict[str, int] = {}
    key, texts, says = _read_usual(buffer, _some(places, usual), reader, number)
    data = memoryview(buffer)
    more = [
        reader.read_one(bytes(data[start:end]))
        for start, end in zip(offsets[unusual].tolist(), offsets[unusual + 1].tolist(), strict=True)
    ]
    more_keys = [number.setdefault(name, len(number)) for name, _, _ in more]
    place = np.empty(len(raws), np.int32)
    place[np.concatenate((usual, unusual))] = np.arange(len(raws))
    return KeyValues(
        place,
        list(number),
        np.concatenate((key, np.array(more_keys, np.int32))),
        pa.concat_arrays([texts, strings([text for _, text, _ in more])]),
        [*says, *(values for _, _, values in more)],
    )


def _some(places: _Places, at: npt.NDArray[np.int64]) -> _Places:
    key, key_end, text, end, usual = places
    return _Places(key[at], key_end[at], text[at], end[at], usual[at])


def _read_usual(
    buffer: pa.Buffer, places: _Places, reader: Attributes, number: dict[str, int]
) -> tuple[Indices, pa.StringArray, list[Sequence[FieldValue]]]:
    """Read attributes of the usual form; returns the number of each one's key, texts, and field values.

    Args:
        number: of keys; those that it lacks are added.
    """
    spelled = _parts(buffer, places.key, places.key_end).dictionary_encode()
    known = [reader.name(raw) for raw in spelled.dictionary.to_pylist()]
    numbers = np.array([number.setdefault(name, len(number)) for name, _ in known], np.int32)
    has_rules = np.array([bool(rules) for _, rules in known], bool)
    which = np.asarray(spelled.indices)
    tells = np.flatnonzero(has_rules[which] & (places.end > places.text))
    says: list[Sequence[FieldValue]] = [()] * len(which)
    data = memoryview(buffer)
    told = [_Told(rules, *_split(rules)) for _, rules in known]
    some = (tells, which[tells], places.text[tells], places.end[tells])
    for at, key, start, end in zip(*(each.tolist() for each in some), strict=True):
        says[at] = _values(told[key], bytes(data[start:end]))
    return numbers[which], valid_strings(_parts(buffer, places.text, places.end)), says


def _parts(buffer: pa.Buffer, start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Return the bytes from each start to its end, all of which ascend."""
    edges = np.empty(2 * len(start), np.int32)
    edges[::2], edges[1::2] = start, end
    # Every other one is what lies between them.
    count = max(len(edges) - 1, 0)
    all_parts = pa.BinaryArray.from_buffers(pa.binary(), count, [None, pa.py_buffer(edges), buffer])
    return all_parts.take(pa.array(np.arange(0, count, 2)))


def text_of_bytes(raw: bytes) -> str:
    """Return bytes as text; what is no UTF-8 becomes U+FFFD."""
    return raw.decode("utf-8", "replace")


def _values(told: _Told, raw: bytes) -> tuple[FieldValue, ...]:
    """The field values that a text gives; a long one that is an input or output itself comes as its bytes."""
    if len(raw) < LONG:
        return values_by(told.all, text_of_bytes(raw))
    found = tuple((field, rank, raw) for field, rank, _ in told.whole)
    return (*found, *values_by(told.read, text_of_bytes(raw))) if told.read else found


def _split(rules: tuple[Rule, ...]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Rules that take a text as the input or output that it is, and the others."""
    whole = tuple(rule for rule in rules if rule[0] in CONTENTS and rule[2] is None)
    return whole, tuple(rule for rule in rules if rule not in whole) if whole else rules


def _places(raw: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> _Places:
    """Find key and text: `0a <length> key 12 <length> 0a <length> text`, and nothing behind it."""
    start, end = offsets[:-1], offsets[1:]
    key_length = _at(raw, start + 1)
    key_end = start + 2 + key_length
    usual = (_at(raw, start) == _KEY) & (key_length < 128) & (_at(raw, key_end) == _VALUE)
    value_length, value = _varint(raw, key_end + 1)
    text_length, text = _varint(raw, value + 1)
    usual &= (value_length >= 0) & (value + value_length == end)
    usual &= (_at(raw, value) == _STRING) & (text_length >= 0) & (text + text_length == end)
    return _Places(start + 2, key_end, text, end, usual)


def _varint(
    raw: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the varints of up to three bytes at some places, and the places behind them; -1 for longer ones."""
    first, second, third = _at(raw, at), _at(raw, at + 1), _at(raw, at + 2)
    two = first & 127 | second << 7
    three = first & 127 | (second & 127) << 7 | third << 14
    number = np.where(first < 128, first, np.where(second < 128, two, np.where(third < 128, three, -1)))
    return number, at + 1 + (first >= 128) + ((first >= 128) & (second >= 128))


def _at(raw: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bytes at some places; what lies behind the end is some other byte."""
    return raw.take(at, mode="clip").astype(np.int64)
