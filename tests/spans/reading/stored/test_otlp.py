"""Stored spans as OTLP: read again they are the same rows, and anybody's decoder reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.spans.reading.stored.messages import plain_rows
from spanloom.spans.reading.stored.otlp import as_json, as_protobuf
from spanloom.spans.table import USAGE_ADDS_UP
from tests.captures_truth import Capture, captures
from tests.spans.reading.otlp_examples import event, request, span
from tests.spans.reading.stored.rereading import differences, stored

Row = Mapping[str, Any]


def json_document(rows: Iterable[Row]) -> bytes:
    return f'{{"resourceSpans":[{as_json(rows)}]}}'.encode()


def by_trace(rows: pa.Table) -> list[list[Row]]:
    traces: dict[str, list[Row]] = {}
    for row in plain_rows(rows):
        traces.setdefault(row["trace_id"], []).append(row)
    return list(traces.values())


def unlike(before: pa.Table, after: pa.Table) -> Sequence[object]:
    """The differences, without the one mark that needs the version of the scope."""
    found = []
    for row, name, one, other in differences(before, after):
        if name == "marks" and int(str(one)) ^ int(str(other)) == USAGE_ADDS_UP:
            continue
        found.append((row, name, one, other))
    return found


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_a_recording_is_read_into_the_rows_it_came_from(capture: Capture) -> None:
    # A trace at a time, in one message, as it is taken along and sent again.
    rows = stored([b"".join(capture.messages)])
    traces = by_trace(rows)
    assert unlike(rows, stored([as_protobuf(row for trace in traces for row in trace)])) == []
    assert unlike(rows, stored([json_document(row for trace in traces for row in trace)])) == []


def test_both_forms_say_the_same_to_anybodys_decoder() -> None:
    rows = stored(
        [
            request(
                span(
                    name='a "quoted" ünï 🧵',
                    attributes={"k": "v\n\u2028</script>", "n": 12, "x": [1, "two"]},
                    events=[event("exception", {"exception.message": "no"})],
                )
            )
        ]
    )
    told = ExportTraceServiceRequest.FromString(as_protobuf(plain_rows(rows)))
    [resource] = told.resource_spans
    [found] = resource.scope_spans[0].spans
    [row] = rows.to_pylist()
    assert found.name == row["name"]
    assert found.span_id.hex() == row["span_id"]
    document = json.loads(json_document(plain_rows(rows)))
    [as_text] = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert as_text["name"] == found.name
    assert as_text["traceId"] == found.trace_id.hex()
    assert as_text["startTimeUnixNano"] == str(found.start_time_unix_nano)
    assert {pair["key"]: pair["value"]["stringValue"] for pair in as_text["attributes"]} == {
        pair.key: pair.value.string_value for pair in found.attributes
    }
    assert found.attributes[0].value.string_value
    assert as_text["events"][0]["name"] == found.events[0].name == "exception"


def test_parts_one_behind_the_other_are_one_message() -> None:
    rows = list(plain_rows(stored([request(*(span(span_id=bytes([n] * 8)) for n in range(1, 6)))])))
    whole = ExportTraceServiceRequest.FromString(as_protobuf(rows[:2]) + as_protobuf(rows[2:]))
    ids = [s.span_id.hex() for r in whole.resource_spans for sc in r.scope_spans for s in sc.spans]
    assert ids == [row["span_id"] for row in rows]


def test_a_span_without_a_start_goes_without_one() -> None:
    rows = stored([request(span(start_time_unix_nano=0))])
    assert unlike(rows, stored([as_protobuf(plain_rows(rows))])) == []
    assert b"spanloom.assumed" not in as_protobuf(plain_rows(rows))
