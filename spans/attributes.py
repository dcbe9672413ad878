"""Attributes as OTLP carries them: a map from keys to undecoded values, put in an order that never changes.

protobuf's maps have no order of their own, so attributes are sorted by key: the same span gives the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas import otlp_pb2
from spans.conventions.registry import RULES
from spans.values import text_of

Attribute = tuple[str, bytes]
"""A key and an AnyValue as its bytes."""

Carrier = otlp_pb2.Span | otlp_pb2.Event | otlp_pb2.Resource
"""What has attributes."""


def sorted_attributes(carrier: Carrier) -> list[Attribute]:
    """The attributes of a span, event or resource, sorted by key."""
    try:
        return sorted(carrier.attributes.items())
    except UnicodeDecodeError:
        return _salvaged(carrier)


def _salvaged(carrier: Carrier) -> list[Attribute]:
    """The same where not all keys are UTF-8: upb doesn't hand out such a map, so its bytes are read again."""
    raw = carrier.SerializeToString()
    entries: Iterable[otlp_pb2.KeyValue]
    if isinstance(carrier, otlp_pb2.Span):
        entries = otlp_pb2.LooseSpan.FromString(raw).attributes
    elif isinstance(carrier, otlp_pb2.Event):
        entries = otlp_pb2.LooseEvent.FromString(raw).attributes
    else:
        entries = otlp_pb2.LooseResource.FromString(raw).attributes
    by_wire_key = {entry.key: entry.value for entry in entries}
    by_key = {key.decode("utf-8", "replace"): by_wire_key[key] for key in sorted(by_wire_key)}
    return sorted(by_key.items())


def dearest(attributes: Sequence[Attribute], count: int) -> list[Attribute]:
    """So many of the attributes: those that a convention declares first, sorted by key."""
    ranked = sorted(attributes, key=lambda attribute: (RULES.weight(attribute[0]), attribute[0]))
    return sorted(ranked[:count])


def event_texts(event: otlp_pb2.Event, count: int, length: int) -> tuple[Mapping[str, str], bool]:
    """The attributes of an event as texts, at most `count` of at most `length` characters; and if any were cut."""
    attributes = sorted_attributes(event)
    cut = len(attributes) > count
    result: dict[str, str] = {}
    for key, raw in attributes[:count]:
        text = text_of(raw)
        if len(text) > length or len(key) > length:
            text, key, cut = text[:length], key[:length], True
        result[key] = text
    return result, cut
