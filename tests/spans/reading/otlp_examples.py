"""OTLP messages for tests, made with OpenTelemetry's own protobuf classes."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import Decoded, OtlpMessage, decode

PRICES = Prices()
LIMITS = Limits()
START = 1_795_410_262_693_225_632
TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(1, 9))
PARENT_ID = bytes(range(11, 19))


def any_value(value: Any) -> AnyValue:
    """A Python value as an AnyValue; None is an absent value."""
    result = AnyValue()
    if isinstance(value, bool):
        result.bool_value = value
    elif isinstance(value, int):
        result.int_value = value
    elif isinstance(value, float):
        result.double_value = value
    elif isinstance(value, str):
        result.string_value = value
    elif isinstance(value, bytes):
        result.bytes_value = value
    elif isinstance(value, list):
        result.array_value.SetInParent()
        result.array_value.values.extend(any_value(item) for item in value)
    elif isinstance(value, dict):
        result.kvlist_value.SetInParent()
        result.kvlist_value.values.extend(key_values(value))
    return result


def key_values(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(attributes: dict[str, Any] | None = None, **fields: Any) -> Span:
    """A root span with these attributes."""
    given: dict[str, Any] = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "name": "step",
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 1_000_000_000,
    }
    return Span(**(given | fields), attributes=key_values(attributes or {}))


def event(name: str, attributes: dict[str, Any], time: int = START) -> Span.Event:
    return Span.Event(name=name, time_unix_nano=time, attributes=key_values(attributes))


def request(*spans: Span, resource: dict[str, Any] | None = None) -> bytes:
    """An ExportTraceServiceRequest with one resource and one scope."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.extend(key_values(resource or {"service.name": "shop"}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "tests"
    scope_spans.spans.extend(spans)
    return message.SerializeToString()


def read(*values: bytes, limits: Limits = LIMITS) -> Decoded:
    """What messages hold; the table is checked to be a valid one, and no convention to have raised."""
    decoded = decode([OtlpMessage(value) for value in values], limits=limits, prices=PRICES)
    decoded.table.validate(full=True)
    assert decoded.table.num_rows == len(decoded.message)
    assert [each.reason for each in decoded.rejects if "could not be read (" in each.reason] == []
    return decoded


def row_of(given: Span, **options: Any) -> dict[str, Any]:
    """The row of one span, its maps as dicts."""
    decoded = read(request(given), **options)
    assert decoded.rejects == []
    (row,) = rows(decoded)
    return row


def row(attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The row of a root span with these attributes."""
    return row_of(span(attributes, **fields))


def rows(decoded: Decoded) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = decoded.table.to_pylist()
    for each in found:
        for name in ("attributes", "resource", "metadata"):
            each[name] = dict(each[name])
    return found


def otlp_json(value: bytes) -> dict[str, Any]:
    """The same request as OTLP JSON: like protobuf's JSON, but IDs are hexadecimal."""
    message = ExportTraceServiceRequest.FromString(value)
    document = MessageToDict(message)
    for resource_spans in document.get("resourceSpans", []):
        for scope_spans in resource_spans.get("scopeSpans", []):
            for each in scope_spans.get("spans", []):
                for holder in (each, *each.get("links", [])):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in holder:
                            holder[name] = _hexadecimal(holder[name])
    return document


def otlp_json_bytes(value: bytes) -> bytes:
    return json.dumps(otlp_json(value)).encode()


def _hexadecimal(base64: str) -> str:
    return b64decode(base64).hex()
