"""What can be known of a request's bytes without reading its spans."""

from __future__ import annotations

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_LOOKED_AT = 32
"""At most this many of a request's outermost fields are looked at: enough to tell OTLP from anything else."""

_LENGTH_DELIMITED = 2
"""The wire type of texts, bytes and messages (https://protobuf.dev/programming-guides/encoding/)."""


def looks_like_request(body: bytes, content_type: str) -> bool:
    """Whether a body may be an ExportTraceServiceRequest; its spans are not read.

    Of protobuf the outermost fields must fit into the body; JSON must be an object. What gets through all the same ends
    in the dead letters.
    """
    if content_type == JSON:
        return body.lstrip()[:1] == b"{" and body.rstrip()[-1:] == b"}"
    # Not by protobuf itself, which copies the body: of 64 MiB made of empty fields it makes a gigabyte in a second, and
    # this runs on the event loop.
    position = 0
    try:
        for _ in range(_LOOKED_AT):
            if position == len(body):
                return True
            tag, position = _varint(body, position)
            if tag & 7 != _LENGTH_DELIMITED or not 0 < tag >> 3 < 1 << 29:
                return False
            length, position = _varint(body, position)
            position += length
            if position > len(body):
                return False
    except IndexError:
        return False
    return True


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position, and the position behind it. Raises `IndexError` where there is none."""
    value = shift = 0
    while shift < 64:
        byte = body[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise IndexError
