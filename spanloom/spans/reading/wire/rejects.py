"""What can't be read, and goes to the dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from spanloom.schemas import otlp_pb2


@dataclass(frozen=True, slots=True)
class Reject:
    """What goes to the dead letters."""

    message: int
    """Index into the messages given."""
    reason: str
    """One sentence, without anything of the payload."""
    payload: bytes
    """The whole message; for spans, an ExportTraceServiceRequest with just them, their resource and scope."""


NO_TRACE = "The span has no valid trace ID: it takes 16 bytes that are not all zero."
NO_SPAN = "The span has no valid span ID: it takes 8 bytes that are not all zero."
NO_PARENT = "The span's parent span ID is neither absent nor 8 bytes long."


def too_many_spans(count: int, limit: int) -> str:
    """The reason why a message goes to the dead letters as a whole."""
    return f"The message holds {count} spans, more than the limit of {limit}."


MOST_WITHOUT_SPANS = 50_000
"""Resources and scopes without spans that a message may have: senders leave out such, and each takes microseconds."""


def too_many_without_spans(count: int) -> str:
    """Likewise."""
    return f"The message holds {count} resources and scopes without spans, more than the limit of {MOST_WITHOUT_SPANS}."


_SINGLE_BYTES = 1 << 20
"""The most bytes of the single rejects of one message: each repeats the resource, which may be large."""


class BadSpans:
    """The bad spans of one message.

    The first ones become a reject each; the others go together in one, because each reject repeats the
    resource, and a message may hold thousands of bad spans.
    """

    def __init__(self, message: int, single: int) -> None:
        """`single`: at most this many become a reject each."""
        self._message = message
        self._single = single
        self._rejects: list[Reject] = []
        self._others = _Together()
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
            alone = _Together()
            alone.add(resource_spans, scope_spans, span)
            payload = alone.request.SerializeToString()
            self._single_bytes += len(payload)
            self._rejects.append(Reject(self._message, reason, payload))
        else:
            self._others.add(resource_spans, scope_spans, span)

    def rejects(self) -> list[Reject]:
        """The rejects for all spans taken."""
        if not self._others.count:
            return self._rejects
        reason = f"{self._others.count} more spans of the message have no valid IDs or could not be read."
        return [*self._rejects, Reject(self._message, reason, self._others.request.SerializeToString())]


class _Together:
    """A request made of spans that come in the order of their message: each resource and scope stands in it
    once, so that it is never larger than the message."""

    def __init__(self) -> None:
        self.request = otlp_pb2.ExportTraceServiceRequest()
        self.count = 0
        # What the last span came from, and where it went. The messages themselves, not their `id`: protobuf
        # makes such an object anew for each look, and the next one may get the address of one that is gone.
        self._resource: tuple[otlp_pb2.ResourceSpans, otlp_pb2.ResourceSpans] | None = None
        self._scope: tuple[otlp_pb2.ScopeSpans, otlp_pb2.ScopeSpans] | None = None

    def add(
        self,
        resource_spans: otlp_pb2.ResourceSpans,
        scope_spans: otlp_pb2.ScopeSpans,
        span: otlp_pb2.Span,
    ) -> None:
        """Adds a span of this scope and resource."""
        if self._resource is None or self._resource[0] is not resource_spans:
            self._resource = (resource_spans, _add_resource(self.request, resource_spans))
            self._scope = None
        if self._scope is None or self._scope[0] is not scope_spans:
            self._scope = (scope_spans, _add_scope(self._resource[1], scope_spans))
        self._scope[1].spans.append(span)
        self.count += 1


def _add_resource(
    request: otlp_pb2.ExportTraceServiceRequest, resource_spans: otlp_pb2.ResourceSpans
) -> otlp_pb2.ResourceSpans:
    """A copy of a resource without spans, added to the request."""
    resource = request.resource_spans.add()
    if resource_spans.HasField("resource"):
        resource.resource.CopyFrom(resource_spans.resource)
    if resource_spans.HasField("schema_url"):
        resource.schema_url = resource_spans.schema_url
    return resource


def _add_scope(resource: otlp_pb2.ResourceSpans, scope_spans: otlp_pb2.ScopeSpans) -> otlp_pb2.ScopeSpans:
    """A copy of a scope without spans, added to the resource."""
    scope = resource.scope_spans.add()
    if scope_spans.HasField("scope"):
        scope.scope = scope_spans.scope
    if scope_spans.HasField("schema_url"):
        scope.schema_url = scope_spans.schema_url
    return scope
