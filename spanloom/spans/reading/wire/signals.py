"""Metrics and logs where spans should be: told apart by what no span can be.

All requests of OTLP have the same frame on the wire, and whatever is the entry of a scope, a metric or a log record, is
read as a span of which most fields are of another type
(https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from spanloom.spans.text.values import length_at

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5  # wire types; groups are none of OTLP's

_FIRST, _SECOND, _THIRD = 0x0A, 0x12, 0x1A
"""How the first three fields begin, length-delimited: there is no other in a request, a resource or a scope."""

_LOOKED_AT = 8
"""Fields of a request, resource or scope that are looked at; nearly always it is the first or second."""

_TELLING = 64
"""Fields of an entry, and of its points, that are looked at: what tells them apart is written first, and a hostile
entry may have millions."""

_LOG = frozenset(((1, _FIXED64), (2, _VARINT), (6, _LENGTH_DELIMITED), (8, _FIXED32), (11, _FIXED64)))
"""Fields by number and wire type that no span has. Of a log record: times, severity, attributes, flags."""

_METRIC = frozenset(((7, _LENGTH_DELIMITED), (10, _LENGTH_DELIMITED), (12, _LENGTH_DELIMITED)))
"""Likewise, of a metric: sum, exponential histogram, metadata."""

_OF_POINTS = frozenset(((1, _LENGTH_DELIMITED), (2, _VARINT), (3, _VARINT)))
"""The fields of a gauge, sum, histogram or summary."""

_POINTS = (5, 9, 11)
"""The fields of gauge, histogram and summary: also texts or messages of a span, so that their points are looked at."""


def other_signal(entry: bytes) -> str:
    """Return `metrics` or `logs` where the entry of a scope is certainly one of them, and no span; else nothing."""
    try:
        found = list(islice(_fields(entry, 0, len(entry)), _TELLING))
    except IndexError:
        return ""
    kinds = {(number, kind) for number, kind, _, _ in found}
    if kinds & _LOG:
        return "logs"
    if kinds & _METRIC:
        return "metrics"
    points = (each for each in found if each[0] in _POINTS and each[1] == _LENGTH_DELIMITED)
    return "metrics" if any(_has_points(entry, start, end) for _, _, start, end in points) else ""


def _has_points(entry: bytes, start: int, end: int) -> bool:
    """Whether a field holds data points: messages in its field 1, each with its time in field 3, and nothing else but a
    number in field 2, where an attribute of a span has its value."""
    first = None
    try:
        for field in islice(_fields(entry, start, end), _TELLING):
            if field[:2] not in _OF_POINTS:
                return False
            first = first or field
        if first is None or first[0] != 1:
            return False
        return any(field[:2] == (3, _FIXED64) for field in islice(_fields(entry, *first[2:]), _TELLING))
    except IndexError:
        return False


def first_entry(request: bytes) -> bytes:
    """Return the first entry of the first scope of a request; nothing where it is not where nearly all have it."""
    # Spelled out: the receiver does this with every request.
    position, end = 0, len(request)
    try:
        # The resources of a request, the scopes of a resource, the spans of a scope.
        for wanted in (_FIRST, _SECOND, _SECOND):
            for _ in range(_LOOKED_AT):
                tag = request[position]
                length, start = length_at(request, position + 1)
                position = start + length
                if tag not in (_FIRST, _SECOND, _THIRD) or position > end:
                    return b""
                if tag == wanted:
                    break
            else:
                return b""
            position, end = start, position
    except IndexError:
        return b""
    return request[position:end]


def _fields(message: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message that lies between two places: number, wire type, and where the content is.

    Raises:
        IndexError: they are none, or don't end where the message does.
    """
    while position < end:
        tag, start = length_at(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _LENGTH_DELIMITED:
            length, start = length_at(message, start)
            position = start + length
        elif kind == _VARINT:
            _, position = length_at(message, start)
        elif kind in (_FIXED64, _FIXED32):
            position = start + (8 if kind == _FIXED64 else 4)
        else:
            raise IndexError
        if not number or position > end:
            raise IndexError
        yield number, kind, start, position
