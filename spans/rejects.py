"""What can't be read, and goes to the dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import otlp_pb2


@dataclass(frozen=True, slots=True)
class Reject:
    """What goes to the dead letters."""

    message: int
    """Index into the messages given."""
    reason: str
    """One sentence, without anything of the payload."""
    payload: bytes
    """The whole message; for spans, an ExportTraceServiceRequest with just them, their resource and scope."""


_SINGLE_BYTES = 1 << 20
"""What single rejects of one message may come to, bytes: each repeats the resource, which may be large."""


class BadSpans:
    """The bad spans of one message.

    The first ones become a reject each; the others go together in one, because each reject repeats the
    resource, and a message may hold thousands of bad spans.
    """

    def __init__(self, message: int, single: int) -> None:
        """`single`: so many become a reject each."""
        self._message = message
        self._single = single
        self._rejects: list[Reject] = []
        self._others = otlp_pb2.ExportTraceServiceRequest()
        self._scope_of_others: tuple[int, otlp_pb2.ScopeSpans] | None = None
        self._count_of_others = 0
        self._single_bytes = 0

    def add(
        self,
        reason: str,
        resource_spans: otlp_pb2.ResourceSpans,
        scope_spans: otlp_pb2.ScopeSpans,
        span: otlp_pb2.Span,
    ) -> None:
        """Takes a bad span of this scope and resource."""
        if len(self._rejects) < self._single and self._single_bytes < _SINGLE_BYTES:
            request = otlp_pb2.ExportTraceServiceRequest()
            _add_scope(request, resource_spans, scope_spans).spans.append(span)
            payload = request.SerializeToString()
            self._single_bytes += len(payload)
            self._rejects.append(Reject(self._message, reason, payload))
            return
        if self._scope_of_others is None or self._scope_of_others[0] != id(scope_spans):
            self._scope_of_others = (id(scope_spans), _add_scope(self._others, resource_spans, scope_spans))
        self._scope_of_others[1].spans.append(span)
        self._count_of_others += 1

    def rejects(self) -> list[Reject]:
        """The rejects for all spans taken."""
        if not self._count_of_others:
            return self._rejects
        reason = f"{self._count_of_others} more spans of the message have no valid IDs or could not be read."
        return [*self._rejects, Reject(self._message, reason, self._others.SerializeToString())]


def _add_scope(
    request: otlp_pb2.ExportTraceServiceRequest,
    resource_spans: otlp_pb2.ResourceSpans,
    scope_spans: otlp_pb2.ScopeSpans,
) -> otlp_pb2.ScopeSpans:
    """A copy of resource and scope without spans, added to the request."""
    resource = request.resource_spans.add()
    if resource_spans.HasField("resource"):
        resource.resource.CopyFrom(resource_spans.resource)
    if resource_spans.HasField("schema_url"):
        resource.schema_url = resource_spans.schema_url
    scope = resource.scope_spans.add()
    if scope_spans.HasField("scope"):
        scope.scope = scope_spans.scope
    if scope_spans.HasField("schema_url"):
        scope.schema_url = scope_spans.schema_url
    return scope
