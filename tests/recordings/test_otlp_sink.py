"""A message in JSON becomes what a collector makes of it."""

from __future__ import annotations

import json

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.recordings.otlp_sink import protobuf_of


def test_ids_are_hex_in_json() -> None:
    link = {"traceId": "cd" * 16, "spanId": "34" * 8}
    span = {
        "traceId": "ab" * 16,
        "spanId": "12" * 8,
        "parentSpanId": "",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": "1795780793075000000",
        "attributes": [{"key": "n", "value": {"intValue": "5"}}],
        "links": [link],
        "unknown": 1,
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    [read] = ExportTraceServiceRequest.FromString(protobuf_of(body)).resource_spans[0].scope_spans[0].spans
    assert (read.trace_id.hex(), read.span_id.hex(), read.parent_span_id) == ("ab" * 16, "12" * 8, b"")
    assert (read.links[0].trace_id.hex(), read.links[0].span_id.hex()) == ("cd" * 16, "34" * 8)
    assert (read.name, read.kind, read.start_time_unix_nano) == ("chat", 3, 1795780793075000000)
    assert (read.attributes[0].key, read.attributes[0].value.int_value) == ("n", 5)
