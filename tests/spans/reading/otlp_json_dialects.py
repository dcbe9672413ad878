"""OTLP JSON as different senders write it, made from OTLP protobuf."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = ("traceId", "spanId", "parentSpanId")
_INTEGERS = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue")


def collector(value: bytes) -> bytes:
    """The Collector's `otlp_json`: hexadecimal IDs, 64-bit integers as strings, enums as numbers."""
    return _compact(_members(_document(value, use_integers_for_enums=True), _hexadecimal))


def sdk(value: bytes) -> bytes:
    """An SDK's HTTP/JSON exporter that writes numbers as such, enums as names, and not only ASCII."""

    def member(name: str, content: Any) -> Any:
        if name in _INTEGERS:
            return int(content)
        return _hexadecimal(name, content)

    return json.dumps(_members(_document(value), member), ensure_ascii=False, indent=1).encode()


def javascript(value: bytes) -> bytes:
    """OpenTelemetry's SDK for JavaScript up to version 0.213: bytes as an object, defaults written out."""

    def member(name: str, content: Any) -> Any:
        if name == "intValue":
            return int(content)
        if name == "bytesValue":
            return {str(index): byte for index, byte in enumerate(b64decode(content))}
        if name == "spans":
            defaults = {"events": [], "links": [], "status": {"code": 0}, "droppedLinksCount": 0}
            return [defaults | each for each in content]
        return _hexadecimal(name, content)

    return _compact(_members(_document(value, use_integers_for_enums=True), member))


def protobuf(value: bytes) -> bytes:
    """Protobuf's own JSON with the names of the .proto files: IDs in base64."""
    return _compact(_document(value, preserving_proto_field_name=True))


DIALECTS = (collector, sdk, javascript, protobuf)


def _document(value: bytes, **options: Any) -> Any:
    return MessageToDict(ExportTraceServiceRequest.FromString(value), **options)


def _members(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """The value with each member of each object changed."""
    if isinstance(value, dict):
        return {name: change(name, _members(content, change)) for name, content in value.items()}
    return [_members(item, change) for item in value] if isinstance(value, list) else value


def _hexadecimal(name: str, content: Any) -> Any:
    return b64decode(content).hex() if name in _IDS else content


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
