"""Attributes: from the bytes of a KeyValue to its key, its text and the field values that it gives.

Most attributes of most spans have been seen before: the same model, version, service, the session of a moment
ago. Their bytes are looked up as they are, and one lookup replaces decoding key and value, finding the rules
and reading the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from google.protobuf.message import DecodeError

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.registry import Rule
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.text.values import base64_text, length_at, text_of

UNDECODABLE = "spanloom.undecodable"
"""The key under which an attribute stands that is no KeyValue at all, its bytes as base64."""

FieldValue = tuple[int, int, Any]
"""What an attribute says of its span: a field, the rank of the key within that field, and the value."""

Attribute = tuple[str, str, tuple[FieldValue, ...]]
"""Key, text, and the field values that it gives; most attributes give none."""

CUT: FieldValue = (int(Field.CUT), 1, None)
"""The field value of an attribute that is too long to be kept whole."""

_SHORT = 128
"""Attributes of up to this many bytes are remembered."""

_REMEMBERED = 32_768
"""At most this many are remembered, about 20 MB; then all are forgotten, and the frequent ones soon known again."""

_NAMES = 4096
"""The bytes of at most this many keys are remembered."""

_TWO_BYTES = 1 << 14
"""Lengths below this take one byte or two."""

_KEY = 0x0A
_VALUE = 0x12
_STRING = 0x0A

_Name = tuple[str, tuple[Rule, ...]]
"""A key, and the rules that say what its text means."""


class Attributes(dict[bytes, Attribute]):
    """Reads attributes within limits by a vocabulary, and remembers those it has read.

    Subscript it with the bytes of a *short* KeyValue, call `read` for any.
    """

    def __init__(self, limits: Limits, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._rules = vocabulary.rules
        self.longest_key = limits.name
        self.longest_text = limits.value
        self._nesting = limits.nesting
        self._names: dict[bytes, _Name] = {}

    def read_one(self, raw: bytes) -> Attribute:
        """The attribute that the bytes of a KeyValue hold, remembered if they are few."""
        return self[raw] if len(raw) <= _SHORT else self.read(raw)

    def name(self, raw: bytes) -> _Name:
        """The key that these bytes spell, and the rules that say what its text means."""
        return self._names.get(raw) or self._name(raw)

    def __missing__(self, raw: bytes) -> Attribute:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[raw] = self.read(raw)
        return found

    def read(self, raw: bytes) -> Attribute:
        """The attribute that the bytes of a KeyValue hold. Key and text are cut where they are too long (and
        then give CUT); the field values are read from the whole text."""
        # The usual form is spelled out: key, then value, and nothing behind it.
        name = None
        try:
            value_tag = raw[1] + 2
            if raw[0] == _KEY and value_tag < 130 and raw[value_tag] == _VALUE:
                start = value_tag + 2
                size = raw[value_tag + 1]
                if size > 127:
                    if (high := raw[start]) < 128:
                        # Two bytes, as nearly all.
                        size, start = size & 127 | high << 7, start + 1
                    else:
                        size, start = length_at(raw, value_tag + 1)
                if start + size == len(raw):
                    key_bytes = raw[2:value_tag]
                    name = self._names.get(key_bytes) or self._name(key_bytes)
                    low = raw[start + 1] if size > 2 and raw[start] == _STRING else -1
                    # So is a string whose length takes one byte or two.
                    if low == size - 2 and low < 128:
                        text = raw[start + 2 :].decode("utf-8", "replace")
                    elif low > 127 and low & 127 | raw[start + 2] << 7 == size - 3 < _TWO_BYTES:
                        text = raw[start + 3 :].decode("utf-8", "replace")
                    else:
                        text = text_of(raw, start, self._nesting)
        except IndexError:
            name = None
        if name is None:
            name, text = self._unusual(raw)
        key, rules = name
        field_values = values_by(rules, text) if rules and text else ()
        if len(text) > self.longest_text or len(key) > self.longest_key:
            return key[: self.longest_key], text[: self.longest_text], (*field_values, CUT)
        return key, text, field_values

    def read_all(self, raws: Sequence[bytes]) -> list[Attribute]:
        """The attributes of a span, event or resource."""
        return [self[raw] if len(raw) <= _SHORT else self.read(raw) for raw in raws[:]]

    def read_each(self, raws: Iterable[bytes]) -> Iterator[Attribute]:
        """The same one by one, for more attributes than should be held at once."""
        for raw in raws:
            yield self[raw] if len(raw) <= _SHORT else self.read(raw)

    def _unusual(self, raw: bytes) -> tuple[_Name, str]:
        """Key and rules, and the text, of a KeyValue in any form."""
        try:
            pair = otlp_pb2.KeyValue.FromString(raw)
        except DecodeError:
            return (UNDECODABLE, self._rules[UNDECODABLE]), base64_text(raw)
        return self._name(pair.key), text_of(pair.value, 0, self._nesting)

    def _name(self, raw: bytes) -> _Name:
        key = raw.decode("utf-8", "replace")
        name = key, self._rules[key]
        if len(raw) <= _SHORT:
            if len(self._names) >= _NAMES:
                self._names.clear()
            self._names[raw] = name
        return name


def values_by(rules: Sequence[Rule], text: str) -> tuple[FieldValue, ...]:
    """The field values that a text gives by these rules. An empty text gives none: don't ask."""
    if len(rules) == 1:
        ((field, rank, read),) = rules
        value = text if read is None else read(text)
        return () if value is None else ((field, rank, value),)
    found = []
    for field, rank, read in rules:
        value = text if read is None else read(text)
        if value is not None:
            found.append((field, rank, value))
    return tuple(found)


@lru_cache(maxsize=8)
def attributes_within(limits: Limits, vocabulary: Vocabulary) -> Attributes:
    """The reader for these: one for the whole process, so that it remembers from batch to batch."""
    return Attributes(limits, vocabulary)


def texts(attributes: Iterable[Attribute]) -> dict[str, str]:
    """Attributes by key; of a key that stands twice the last one counts."""
    return {key: text for key, text, _ in attributes}
