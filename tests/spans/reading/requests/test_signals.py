"""Metrics and logs that were sent where spans should be."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
    Summary,
    SummaryDataPoint,
)

from spanloom.spans.reading.wire import signals
from spanloom.spans.text.values import length_at
from tests.fuzz.strategies import spans as hostile_spans
from tests.spans.reading.otlp_examples import SPAN_ID, START, TRACE_ID, key_values, read, request, span
from tests.spans.reading.requests.test_shapes import reasons
from tests.spans.reading.wire import length_delimited

TIMES: Any = {"time_unix_nano": START, "start_time_unix_nano": START}
METRICS = {
    "gauge": Metric(gauge=Gauge(data_points=[NumberDataPoint(as_int=1, **TIMES)])),
    "sum": Metric(sum=Sum(data_points=[NumberDataPoint(as_double=1, **TIMES)], is_monotonic=True)),
    "histogram": Metric(histogram=Histogram(data_points=[HistogramDataPoint(count=1, **TIMES)])),
    "exponential": Metric(
        exponential_histogram=ExponentialHistogram(data_points=[ExponentialHistogramDataPoint(**TIMES)])
    ),
    "summary": Metric(summary=Summary(data_points=[SummaryDataPoint(count=1, **TIMES)])),
}
# The first would be a span, by the lengths of what stands where its IDs would.
NAMES = [("process.cpu.time", "CPU time"), ("http.server.duration", "How long it took"), ("m", "")]


def metrics(*every: Metric) -> bytes:
    message = ExportMetricsServiceRequest()
    inside = message.resource_metrics.add()
    inside.resource.attributes.extend(key_values({"service.name": "shop"}))
    scope = inside.scope_metrics.add()
    scope.scope.name = "meter"
    scope.metrics.extend(every)
    return message.SerializeToString()


def logs(*every: LogRecord) -> bytes:
    message = ExportLogsServiceRequest()
    inside = message.resource_logs.add()
    inside.resource.attributes.extend(key_values({"service.name": "shop"}))
    inside.scope_logs.add().log_records.extend(every)
    return message.SerializeToString()


@pytest.mark.parametrize("kind", METRICS)
@pytest.mark.parametrize(("name", "description"), NAMES)
def test_metrics_are_one_dead_letter_that_says_so(kind: str, name: str, description: str) -> None:
    metric = Metric(name=name, description=description, unit="s")
    metric.MergeFrom(METRICS[kind])
    value = metrics(metric, metric)
    decoded = read(value)
    assert decoded.table.num_rows == 0
    assert [(reject.reason, reject.payload) for reject in decoded.rejects] == [
        ("The message holds metrics, not spans.", value)
    ]


@pytest.mark.parametrize(
    "record",
    [
        LogRecord(time_unix_nano=START, body=AnyValue(string_value="hello")),
        LogRecord(observed_time_unix_nano=START, trace_id=TRACE_ID, span_id=SPAN_ID),
        LogRecord(severity_number=9, attributes=key_values({"a": 1})),  # type: ignore[arg-type]
        LogRecord(attributes=key_values({"a": 1}), body=AnyValue(string_value="x")),
    ],
)
def test_logs_are_one_dead_letter_that_says_so(record: LogRecord) -> None:
    value = logs(record, record, record)
    assert [(reject.reason, reject.payload) for reject in read(value).rejects] == [
        ("The message holds logs, not spans.", value)
    ]


def test_an_attribute_whose_key_looks_like_a_data_point_makes_no_metric() -> None:
    # The key is spelled like a message with a time in its field 3.
    one = span({"\x19" + "8 bytes.": ""}, start_time_unix_nano=0, end_time_unix_nano=0)
    assert not reasons(read(request(one)))


@given(st.lists(hostile_spans(), min_size=1, max_size=4))
def test_no_span_is_taken_for_a_metric_or_a_log_record(some: list[Any]) -> None:
    for one in some:
        one.ClearField("start_time_unix_nano")
    assert not any("not spans" in reason for reason in reasons(read(request(*some))))


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(b"\x70\x01" * 500_000, id="fields"),
        # A gauge of as many data points, the first of which is as long again and has no time.
        pytest.param(
            length_delimited(0x2A, length_delimited(0x0A, b"\x70\x01" * 250_000) + b"\x0a\x00" * 250_000),
            id="points",
        ),
    ],
)
def test_an_entry_of_a_million_fields_is_looked_at_no_longer_than_any(
    entry: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Mock(wraps=length_at)
    monkeypatch.setattr(signals, "length_at", looked)
    assert not signals.other_signal(entry)
    assert looked.call_count < 500
