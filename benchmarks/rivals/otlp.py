"""Spans out of OTLP messages by the official classes, and the row of each; for the rivals, which share it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from benchmarks.baseline.rules import fields

_STATUS = {Status.STATUS_CODE_OK: "ok", Status.STATUS_CODE_ERROR: "error"}


class Read(NamedTuple):
    """A span as it was read."""

    row: list[Any]
    """In the order of `rules.SPAN_COLUMNS`."""
    found: dict[str, Any]
    """Type, session, user, model, tokens and cost, see `benchmarks.baseline.rules.fields`."""


def read(request: ExportTraceServiceRequest) -> Iterator[Read]:
    """Every span of a message."""
    for resource_spans in request.resource_spans:
        resource = {key: str(value) for key, value in _pairs(resource_spans.resource.attributes)}
        service = resource.get("service.name", "")
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                attributes = dict(_pairs(span.attributes))
                found = fields(attributes)
                row = [
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    _STATUS.get(span.status.code, "unset"),
                    span.status.message,
                    service,
                    *found.values(),
                    {key: str(value) for key, value in attributes.items()},
                    resource,
                ]
                yield Read(row, found)


def _pairs(pairs: Iterable[KeyValue]) -> Iterator[tuple[str, Any]]:
    for pair in pairs:
        yield pair.key, _value(pair.value)


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return dict(_pairs(value.kvlist_value.values))
    return None if kind is None else getattr(value, kind)
