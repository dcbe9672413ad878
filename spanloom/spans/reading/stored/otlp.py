"""Stored spans as OTLP that anybody reads: a trace to take along.

As in `stored.messages`, every attribute goes as a string, because a row has the texts of all of them and no types.
Several answers of `as_protobuf` one behind the other are one ExportTraceServiceRequest, since protobuf merges them; of
those of `as_json`, each is some elements of its list `resourceSpans`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from spanloom.schemas import otlp_pb2
from spanloom.spans.limits import ASSUMED
from spanloom.spans.reading.stored.messages import STATUS_CODES, key_value, plain_span
from spanloom.spans.table import NO_START
from spanloom.spans.text.values import json_text

Pairs = Sequence[tuple[str, str]]


def as_protobuf(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as an ExportTraceServiceRequest.

    Args:
        rows: columns of the span table; times are nanoseconds, maps are lists of pairs.
    """
    request = otlp_pb2.ExportTraceServiceRequest()
    for (resource, scope), spans in _by_origin(rows):
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.extend(map(key_value, resource))
        name = otlp_pb2.InstrumentationScope(name=scope.encode())
        scope_spans = resource_spans.scope_spans.add(scope=name.SerializeToString())
        scope_spans.spans.extend(
            plain_span(row, _attributes(row), bool(row["marks"] & NO_START)) for row in spans
        )
    return request.SerializeToString()


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as elements of `resourceSpans` in OTLP/JSON, separated by commas; '' without rows.

    Args:
        rows: as of `as_protobuf`.
    """
    return ",\n".join(
        json_text(
            {
                "resource": {"attributes": _json_pairs(resource)},
                "scopeSpans": [{"scope": {"name": scope}, "spans": [_json_span(row) for row in spans]}],
            }
        )
        for (resource, scope), spans in _by_origin(rows)
    )


def _by_origin(
    rows: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[tuple[Pairs, str], Iterator[Mapping[str, Any]]]]:
    return groupby(rows, lambda row: (row["resource"], row["scope"]))


def _attributes(row: Mapping[str, Any]) -> Pairs:
    if row["marks"] & NO_START:  # what is written about the start that was assumed is none of the sender's
        return [pair for pair in row["attributes"] if pair[0] != ASSUMED]
    attributes: Pairs = row["attributes"]
    return attributes


def _json_span(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "traceId": row["trace_id"],
        "spanId": row["span_id"],
        "parentSpanId": row["parent_span_id"],
        "name": row["name"],
        # 64-bit numbers are strings in protobuf's JSON.
        "startTimeUnixNano": "0" if row["marks"] & NO_START else str(row["start_time"]),
        "endTimeUnixNano": str(row["end_time"]),
        "attributes": _json_pairs(_attributes(row)),
        "events": [
            {
                "timeUnixNano": str(event["time"]),
                "name": event["name"],
                "attributes": _json_pairs(event["attributes"]),
            }
            for event in row["events"]
        ],
        "status": {"code": STATUS_CODES[row["status"]], "message": row["status_message"]},
    }


def _json_pairs(pairs: Pairs) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in pairs]
