"""Attributes: from the bytes of a KeyValue to its key, its text and what it says.

Most attributes of most spans have been seen before: the same model, version, service, the session of a moment
ago. Their bytes are looked up as they are, and one lookup replaces decoding key and value, finding the rules
and reading the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from google.protobuf.message import DecodeError

from schemas import otlp_pb2
from spans.conventions.registry import RULES
from spans.values import base64_text, length_at, text_of

UNDECODABLE = "spanloom.undecodable"
"""The key under which an attribute stands that is no KeyValue at all, its bytes as base64."""

Says = tuple[tuple[int, int, Any], ...]
"""What an attribute says: fields, at a rank, with a value."""

Attribute = tuple[str, str, Says]
"""Key, text and what it says."""

SHORT = 128
"""Attributes of up to so many bytes are remembered."""

_KEY = 0x0A
_VALUE = 0x12


def attribute(raw: bytes) -> Attribute:
    """The attribute that the bytes of a KeyValue hold."""
    key, text = _key_and_text(raw)
    rules = RULES[key]
    if not rules or not text:
        return key, text, ()
    says = []
    for field, rank, read in rules:
        value = text if read is None else read(text)
        if value is not None:
            says.append((field, rank, value))
    return key, text, tuple(says)


remembered = lru_cache(maxsize=32_768)(attribute)
"""`attribute`, for short ones: about 15 MB when full."""


def _key_and_text(raw: bytes) -> tuple[str, str]:
    # The usual form is spelled out: key, then value, and nothing behind it.
    try:
        value_tag = raw[1] + 2
        if raw[0] == _KEY and value_tag < 130 and raw[value_tag] == _VALUE:
            size, start = length_at(raw, value_tag + 1)
            if start + size == len(raw):
                return raw[2:value_tag].decode("utf-8", "replace"), text_of(raw, start)
    except IndexError:
        pass
    try:
        pair = otlp_pb2.KeyValue.FromString(raw)
    except DecodeError:
        return UNDECODABLE, base64_text(raw)
    return pair.key.decode("utf-8", "replace"), text_of(pair.value, 0)


def texts(raws: Iterable[bytes]) -> dict[str, str]:
    """Attributes by key; of a key that stands twice the last one counts."""
    pairs = (remembered(raw) if len(raw) <= SHORT else attribute(raw) for raw in raws)
    return {key: text for key, text, _ in pairs}


def within(attributes: Mapping[str, str], count: int, length: int) -> tuple[Mapping[str, str], bool]:
    """At most `count` of the attributes, keys and texts of at most `length` characters; and if any were
    cut."""
    if len(attributes) <= count and all(
        len(key) <= length and len(text) <= length for key, text in attributes.items()
    ):
        return attributes, False
    kept = list(attributes.items())[:count]
    return {key[:length]: text[:length] for key, text in kept}, True
