"""What can be known of a request's bytes without reading its spans."""

from __future__ import annotations

from spanloom.spans.text.values import length_at

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
            tag, position = length_at(body, position)
            if tag & 7 != _LENGTH_DELIMITED or not 0 < tag >> 3 < 1 << 29:
                return False
            length, position = length_at(body, position)
            position += length
            if position > len(body):
                return False
    except IndexError:
        return False
    return True
