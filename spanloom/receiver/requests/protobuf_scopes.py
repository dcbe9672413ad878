"""The scopes of a request that is protobuf (https://protobuf.dev/programming-guides/encoding/).

Not by protobuf itself: of 64 MiB of empty fields it makes more than a gigabyte, and of any request two copies.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from spanloom.receiver.requests.scopes import Bounds, Scope
from spanloom.spans.text.values import length_at

_RESOURCE_SPANS = 1 << 3 | 2
_SCOPE_SPANS = 2 << 3 | 2
_SPANS = 2 << 3 | 2

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5  # wire types; groups are none of OTLP's


def protobuf_scopes(body: bytes) -> Iterator[Scope]:
    """Yield the scopes that have spans, in their order.

    Raises:
        TooMany: see there.
        ValueError: it is not protobuf; a sentence.
    """
    bounds = Bounds()
    try:
        for tag, _, start, end in _fields(body, 0, len(body)):
            bounds.other()
            if tag == _RESOURCE_SPANS:
                yield from _scopes(body, start, end, bounds)
    except IndexError:
        raise ValueError("The request is not a protobuf ExportTraceServiceRequest.") from None


def _scopes(body: bytes, start: int, end: int, bounds: Bounds) -> list[Scope]:
    found: list[tuple[bytes, array[int]]] = []
    rest: list[bytes] = []
    for tag, begin, content, behind in _fields(body, start, end):
        bounds.other()
        if tag == _SCOPE_SPANS:
            scope, spans = _spans(body, content, behind, bounds)
            if spans:
                found.append((scope, spans))
        else:
            rest.append(body[begin:behind])
    # Only now: what belongs to the resource may stand behind its scopes.
    resource = b"".join(rest)
    return [Scope(resource, scope, spans) for scope, spans in found]


def _spans(body: bytes, start: int, end: int, bounds: Bounds) -> tuple[bytes, array[int]]:
    spans = array("Q")
    rest: list[bytes] = []
    for tag, begin, content, behind in _fields(body, start, end):
        if tag == _SPANS:
            bounds.span()
            spans.append(content)
            spans.append(behind)
        else:
            bounds.other()
            rest.append(body[begin:behind])
    return b"".join(rest), spans


def _fields(body: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: the tag, where the field begins, where its content does, and where both end.

    Raises:
        IndexError: they don't end where the message does.
    """
    while position < end:
        begin = position
        tag, position = length_at(body, position)
        if not 0 < tag >> 3 < 1 << 29:
            raise IndexError
        kind = tag & 7
        if kind == _LENGTH_DELIMITED:
            length, content = length_at(body, position)
            position = content + length
        elif kind == _VARINT:
            _, content = length_at(body, position)
            position = content
        elif kind in (_FIXED64, _FIXED32):
            content = position
            position += 8 if kind == _FIXED64 else 4
        else:
            raise IndexError
        if position > end:
            raise IndexError
        yield tag, begin, content, position
