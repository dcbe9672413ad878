"""A message to the request that it holds, or why it holds none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from spanloom.schemas import otlp_pb2
from spanloom.spans.reading.wire.otlp_json import from_json
from spanloom.spans.reading.wire.rejects import MOST_WITHOUT_SPANS, too_many_spans, too_many_without_spans
from spanloom.spans.reading.wire.signals import other_signal


class Request(NamedTuple):
    """A request that was read, but for its spans."""

    request: otlp_pb2.ExportTraceServiceRequest
    spans: int
    problem: str
    """A sentence where a part of it is not OTLP, and its spans are; empty where all of it is."""
    is_json: bool


def read_request(value: bytes, limit: int) -> Request:
    """Return the request that a message holds, protobuf or JSON.

    Args:
        value: the message.
        limit: spans that it may have.

    Raises:
        ValueError: it holds none, or more spans than that; a sentence.
    """
    request, problem, is_json = _parse(value, limit)
    return Request(request, _count(request, limit), problem, is_json)


def _parse(value: bytes, limit: int) -> tuple[otlp_pb2.ExportTraceServiceRequest, str, bool]:
    if value[:1] == b"{":
        return *from_json(value, limit), True
    problem = "The message is not a protobuf ExportTraceServiceRequest."
    try:
        request = otlp_pb2.ExportTraceServiceRequest.FromString(value)
    except DecodeError:
        request = None
    if request is not None:
        if request.resource_spans or not value:
            return request, "", False
        problem = "The message holds nothing but unknown fields."
    # White space before JSON can be a line feed, which begins protobuf as well.
    if value.lstrip()[:1] == b"{":
        return *from_json(value, limit), True
    raise ValueError(problem)


def _count(request: otlp_pb2.ExportTraceServiceRequest, limit: int) -> int:
    """The spans of a request; raises ValueError with a sentence where there are more than `limit`, or what is there
    can't be spans."""
    count = without = 0
    first = None
    for resource_spans in request.resource_spans:
        before = count
        for scope_spans in resource_spans.scope_spans:
            entries = len(scope_spans.spans)
            if not entries:
                without += 1
            elif first is None:
                first = scope_spans.spans[0]
            count += entries
        without += count == before
    if count > limit:
        raise ValueError(too_many_spans(count, limit))
    if without > MOST_WITHOUT_SPANS:
        raise ValueError(too_many_without_spans(without))
    if first is None:
        if _holds_unknown(request):
            raise ValueError("The message holds no spans, but fields that are not known.")
    elif not first.start_time_unix_nano and (signal := other_signal(first.SerializeToString())):
        # Neither metrics nor log records have a field that could be taken for a start.
        starts = (span.start_time_unix_nano for span in _spans(request))
        if not any(starts):
            raise ValueError(f"The message holds {signal}, not spans.")
    return count


def _spans(request: otlp_pb2.ExportTraceServiceRequest) -> Iterator[otlp_pb2.Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _holds_unknown(request: otlp_pb2.ExportTraceServiceRequest) -> bool:
    """Whether unknown fields stand where there should be scopes or spans: beside them they don't matter."""
    return any(
        (not resource_spans.scope_spans and len(UnknownFieldSet(resource_spans)))
        or any(len(UnknownFieldSet(scope_spans)) for scope_spans in resource_spans.scope_spans)
        for resource_spans in request.resource_spans
    )
