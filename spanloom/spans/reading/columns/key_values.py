"""Distinct attributes, each the bytes of a KeyValue, to keys, texts and field values.

Nearly all are a key and a text, or a number, in the one form in which encoders write them: where key and text lie is
worked out for all of them at once. What is read by a convention, and what has any other form, is read one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.registry import Rule
from spanloom.spans.reading.columns.heads import valid_strings
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
    """What each attribute says."""

    keys: list[str]
    texts: pa.StringArray
    says: list[Sequence[FieldValue]]
    """The field values that it gives; of an input or output of LONG bytes the value is its bytes."""


class _Places(NamedTuple):
    """Where key and text of attributes lie; `usual` is whether they have the one form."""

    key: npt.NDArray[np.int64]
    key_end: npt.NDArray[np.int64]
    text: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    usual: npt.NDArray[np.bool_]


def read_key_values(raws: pa.BinaryArray, reader: Attributes) -> KeyValues:
    """Read distinct attributes."""
    offsets = np.frombuffer(raws.buffers()[1], np.int32)[raws.offset : raws.offset + len(raws) + 1].astype(
        np.int64
    )
    buffer = raws.buffers()[2]
    data = b"" if buffer is None else buffer.to_pybytes()
    places = _places(data, offsets)
    # In bytes, of which no text has fewer than characters.
    usual = places.usual & (places.key_end - places.key <= reader.longest_key)
    usual &= places.end - places.text <= reader.longest_text
    keys: list[str] = []
    texts: list[bytes] = []
    says: list[Sequence[FieldValue]] = []
    name_of, read_one = reader.name, reader.read_one
    columns = (usual, places.key, places.key_end, places.text, offsets[:-1], offsets[1:])
    for is_usual, key, key_end, text, start, end in zip(*(each.tolist() for each in columns), strict=True):
        if is_usual:
            name, rules = name_of(data[key:key_end])
            keys.append(name)
            raw = data[text:end]
            texts.append(raw)
            says.append(_values(rules, raw) if rules and raw else ())
        else:
            name, words, values = read_one(data[start:end])
            keys.append(name)
            texts.append(words.encode())
            says.append(values)
    return KeyValues(keys, valid_strings(pa.array(texts, pa.binary())), says)


def text_of_bytes(raw: bytes) -> str:
    """Return bytes as text; what is no UTF-8 becomes U+FFFD."""
    return raw.decode("utf-8", "replace")


def _values(rules: tuple[Rule, ...], raw: bytes) -> tuple[FieldValue, ...]:
    """The field values that a text gives; a long one that is an input or output itself comes as its bytes."""
    if len(raw) < LONG:
        return values_by(rules, text_of_bytes(raw))
    whole, read = _split(rules)
    found = tuple((field, rank, raw) for field, rank, _ in whole)
    return (*found, *values_by(read, text_of_bytes(raw))) if read else found


@cache
def _split(rules: tuple[Rule, ...]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Rules that take a text as the input or output that it is, and the others."""
    whole = tuple(rule for rule in rules if rule[0] in CONTENTS and rule[2] is None)
    return whole, tuple(rule for rule in rules if rule not in whole)


def _places(data: bytes, offsets: npt.NDArray[np.int64]) -> _Places:
    """Find key and text: `0a <length> key 12 <length> 0a <length> text`, and nothing behind it."""
    raw = np.frombuffer(data or _PADDING, np.uint8)
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
