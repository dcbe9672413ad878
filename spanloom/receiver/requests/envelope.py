"""What can be known of a request's bytes without reading its spans."""

from __future__ import annotations

from spanloom.receiver.requests.wire import LENGTH_DELIMITED, tag, varint

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_LOOKED_AT = 32
"""So many of a request's outermost fields are looked at: enough to tell OTLP from anything else."""


def looks_like_request(body: bytes, content_type: str) -> bool:
    """Whether a body may be an ExportTraceServiceRequest; its spans are not read.

    Of protobuf the outermost fields must fit into the body; JSON must be an object. What gets through all the same ends
    in the dead letters.
    """
    if content_type == JSON:
        return body.lstrip()[:1] == b"{" and body.rstrip()[-1:] == b"}"
    position = 0
    try:
        for _ in range(_LOOKED_AT):
            if position == len(body):
                return True
            _, kind, position = tag(body, position)
            if kind != LENGTH_DELIMITED:
                return False
            length, position = varint(body, position)
            position += length
            if position > len(body):
                return False
    except IndexError:
        return False
    return True
