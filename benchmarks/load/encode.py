"""The load's spans as they travel: OTLP messages for spanloom, one JSON event a span for the baseline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from benchmarks.load.attributes import Value
from benchmarks.load.turns import LoadSpan
from spanloom.schemas import otlp_pb2

SPANS_PER_MESSAGE = 500

_ERROR = 2  # STATUS_CODE_ERROR
_SHORT = 60  # characters up to which an attribute's bytes are worth remembering


def messages(spans: Iterable[LoadSpan], per_message: int = SPANS_PER_MESSAGE) -> Iterator[bytes]:
    """OTLP messages (ExportTraceServiceRequest) of `per_message` spans each, as a Collector batches."""
    source = iter(spans)
    while batch := list(islice(source, per_message)):
        yield message(batch)


def message(spans: Iterable[LoadSpan]) -> bytes:
    """One OTLP message: spans by resource, then by scope."""
    request = otlp_pb2.ExportTraceServiceRequest()
    resources: dict[str, otlp_pb2.ResourceSpans] = {}
    scopes: dict[tuple[str, str], otlp_pb2.ScopeSpans] = {}
    for span in spans:
        found = scopes.get((span.service, span.scope))
        if found is None:
            resource = resources.get(span.service)
            if resource is None:
                resource = resources[span.service] = request.resource_spans.add()
                resource.resource.attributes.extend(
                    _key_value(key, value) for key, value in _resource(span.service).items()
                )
            found = scopes[span.service, span.scope] = resource.scope_spans.add()
            # An InstrumentationScope with field 1, its name.
            found.scope = b"\x0a" + bytes([len(span.scope)]) + span.scope.encode()
        _add(found, span)
    return request.SerializeToString()


def event(span: LoadSpan) -> bytes:
    """One span as a flat JSON object, as an exporter of one event a span writes it."""
    return json.dumps(
        {
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent_span_id": span.parent_span_id.hex(),
            "name": span.name,
            "start_time": span.start_time,
            "end_time": span.end_time,
            "status": "error" if span.error else "unset",
            "status_message": span.error,
            "attributes": span.attributes,
            "resource": _resource(span.service),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def _resource(service: str) -> dict[str, str]:
    return {
        "service.name": service,
        "service.version": "2026.2.1",
        "deployment.environment.name": "production",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.38.0",
        "host.name": f"{service}-7c9d8b6f5-x2x9k",
        "k8s.namespace.name": "shop",
    }


def _add(scope: otlp_pb2.ScopeSpans, span: LoadSpan) -> None:
    new = scope.spans.add(
        trace_id=span.trace_id,
        span_id=span.span_id,
        name=span.name.encode(),
        start_time_unix_nano=span.start_time,
        end_time_unix_nano=span.end_time,
        attributes=[_key_value(key, value) for key, value in span.attributes.items()],
        flags=0x101,
    )
    if span.parent_span_id:
        new.parent_span_id = span.parent_span_id
    if span.error:
        new.status.code = _ERROR
        new.status.message = span.error.encode()


def _key_value(key: str, value: Value) -> bytes:
    if isinstance(value, str) and len(value) > _SHORT:
        return _encoded(key, value)
    return _remembered(key, value, type(value).__name__)


def _encoded(key: str, value: Value) -> bytes:
    if isinstance(value, str):
        any_value = otlp_pb2.AnyValue(string_value=value.encode())
    elif isinstance(value, bool):
        any_value = otlp_pb2.AnyValue(bool_value=value)
    elif isinstance(value, int):
        any_value = otlp_pb2.AnyValue(int_value=value)
    else:
        any_value = otlp_pb2.AnyValue(double_value=value)
    return otlp_pb2.KeyValue(key=key.encode(), value=any_value.SerializeToString()).SerializeToString()


@lru_cache(maxsize=16_384)
def _remembered(key: str, value: Value, _: str) -> bytes:
    """The type is part of the key: 1, 1.0 and True are equal."""
    return _encoded(key, value)
