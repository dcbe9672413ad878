"""What can be known of a request's bytes without reading its spans, and how a large one is split by span."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from schemas import otlp_pb2
from spans.otlp_json import from_json

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_LENGTH_DELIMITED = 2
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
    for _ in range(_LOOKED_AT):
        if position == len(body):
            return True
        try:
            tag, position = _varint(body, position)
            if tag & 7 != _LENGTH_DELIMITED or not tag >> 3:
                return False
            length, position = _varint(body, position)
        except IndexError:
            return False
        position += length
        if position > len(body):
            return False
    return True


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = body[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise IndexError


@dataclass(frozen=True, slots=True)
class Split:
    """A request in several messages."""

    messages: tuple[bytes, ...]
    """Protobuf, each no larger than asked for."""
    rejected: int
    """Spans that are larger than that by themselves."""


def split(body: bytes, content_type: str, limit: int) -> Split:
    """Split a request by span. Every message repeats the resource and scope of its spans.

    Args:
        body: the request.
        content_type: PROTOBUF or JSON.
        limit: bytes of a message at the most.

    Raises:
        ValueError: the body is no request.
    """
    if content_type == JSON:
        request = from_json(body)
    else:
        try:
            request = otlp_pb2.ExportTraceServiceRequest.FromString(body)
        except DecodeError:
            raise ValueError("The message is not a protobuf ExportTraceServiceRequest.") from None
    filler = _Filler(limit)
    for resource_spans in request.resource_spans:
        filler.resource = otlp_pb2.ResourceSpans(schema_url=resource_spans.schema_url or None)
        filler.resource.resource.CopyFrom(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            filler.begin(
                otlp_pb2.ScopeSpans(scope=scope_spans.scope, schema_url=scope_spans.schema_url or None)
            )
            for span in scope_spans.spans:
                filler.add(span)
    return Split(tuple(filler.close()), filler.rejected)


_ENVELOPE = 12
"""Tag and length of a message inside another, bytes at the most."""


class _Filler:
    """Fills message after message with spans, in their order. `resource` is that of the scopes to come."""

    def __init__(self, limit: int) -> None:
        self.rejected = 0
        self.resource = otlp_pb2.ResourceSpans()
        self._limit = limit
        self._messages: list[bytes] = []
        self._scope = otlp_pb2.ScopeSpans()
        self._shell_bytes = 0
        self._request = otlp_pb2.ExportTraceServiceRequest()
        self._left = limit
        self._target: otlp_pb2.ScopeSpans | None = None

    def begin(self, scope: otlp_pb2.ScopeSpans) -> None:
        """Say which scope the next spans are of."""
        self._scope = scope
        self._shell_bytes = self.resource.ByteSize() + scope.ByteSize() + 2 * _ENVELOPE
        self._target = None

    def add(self, span: otlp_pb2.Span) -> None:
        """Add a span to the message at hand, or to a new one if it does not fit."""
        if not self._put(span):
            self._open_new()
            if not self._put(span):
                self.rejected += 1

    def close(self) -> list[bytes]:
        """Return all messages."""
        self._open_new()
        return self._messages

    def _open_new(self) -> None:
        if self._request.resource_spans:
            self._messages.append(self._request.SerializeToString())
        self._request = otlp_pb2.ExportTraceServiceRequest()
        self._left = self._limit
        self._target = None

    def _put(self, span: otlp_pb2.Span) -> bool:
        needed = span.ByteSize() + _ENVELOPE + (0 if self._target is not None else self._shell_bytes)
        if needed > self._left:
            return False
        self._left -= needed
        if self._target is None:
            inside = self._request.resource_spans.add()
            inside.CopyFrom(self.resource)
            self._target = inside.scope_spans.add()
            self._target.CopyFrom(self._scope)
        self._target.spans.append(span)
        return True
