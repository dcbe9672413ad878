"""What can be known of a request's bytes without reading its spans."""

from __future__ import annotations

from spanloom.spans.reading.wire.signals import first_entry, other_signal
from spanloom.spans.text.values import length_at

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_LOOKED_AT = 32
"""At most this many of a request's outermost fields are looked at: enough to tell OTLP from anything else."""

_RESOURCE_SPANS = 1
"""The number of the field that holds them."""

_LENGTH_DELIMITED = 2
"""The wire type of texts, bytes and messages (https://protobuf.dev/programming-guides/encoding/)."""


def looks_like_request(body: bytes, content_type: str) -> bool:
    """Whether a body may be an ExportTraceServiceRequest; its spans are not read.

    Of protobuf the outermost fields must fit into the body, and one must be the request's own; JSON must be an object.
    What gets through all the same ends in the dead letters.
    """
    if content_type == JSON:
        return body.lstrip()[:1] == b"{" and body.rstrip()[-1:] == b"}"
    # Not by protobuf itself, which copies the body: of 64 MiB made of empty fields it makes a gigabyte in a second, and
    # this runs on the event loop.
    position = 0
    has_resources = False
    try:
        for _ in range(_LOOKED_AT):
            if position == len(body):
                return has_resources
            tag, position = length_at(body, position)
            if tag & 7 != _LENGTH_DELIMITED or not 0 < tag >> 3 < 1 << 29:
                return False
            has_resources = has_resources or tag >> 3 == _RESOURCE_SPANS
            length, position = length_at(body, position)
            position += length
            if position > len(body):
                return False
    except IndexError:
        return False
    return True


def signal_of(body: bytes, content_type: str) -> str:
    """Return `metrics` or `logs` where a request looks like one and certainly is the other; else nothing."""
    if content_type == JSON:
        return ""  # its names tell them apart
    entry = first_entry(body)
    # A trace ID of 16 bytes, and a span ID of 8: as every SDK begins a span.
    return "" if entry[:2] == b"\x0a\x10" and entry[18:20] == b"\x12\x08" else other_signal(entry)
