"""What is taken for OTLP by its frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from spanloom.receiver.requests.envelope import JSON, PROTOBUF, looks_like_request, signal_of
from tests.captures_truth import Capture, captures
from tests.fuzz.strategies import requests
from tests.spans.reading.otlp_examples import otlp_json_bytes
from tests.spans.reading.requests.test_signals import METRICS, logs, metrics


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_every_recording_is_taken(capture: Capture) -> None:
    assert all(looks_like_request(value, PROTOBUF) for value in capture.messages)
    assert all(looks_like_request(otlp_json_bytes(value), JSON) for value in capture.messages)


@pytest.mark.parametrize("capture", captures()[:3], ids=lambda capture: capture.name)
def test_a_recording_that_is_cut_off_is_not(capture: Capture) -> None:
    for value in capture.messages[:3]:
        # Cut between two of the outermost fields it would be a smaller request.
        if len(ExportTraceServiceRequest.FromString(value).resource_spans) == 1:
            for cut in {1, len(value) // 3, len(value) - 1} - {0}:
                assert not looks_like_request(value[:cut], PROTOBUF)


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b'{"resourceSpans":[]}',
        b"\x1f\x8b\x08",
        b"\x08\x01",
        b"\x00",
        b"\x0a",
        b"\x0a\xff",
        b"\xff" * 20,
        b"\x12\x03abc",
        b"\xc2\xbb\x01\x03abc",
    ],
)
def test_anything_else_is_no_protobuf(body: bytes) -> None:
    assert not looks_like_request(body, PROTOBUF)


@pytest.mark.parametrize("body", [b"[]", b"null", b" ", b"\x0a\x00", b'{"resourceSpans":['])
def test_anything_else_is_no_json(body: bytes) -> None:
    assert not looks_like_request(body, JSON)


def test_json_may_have_space_around_it() -> None:
    assert looks_like_request(b' \r\n{"resourceSpans":[]}\n', JSON)


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(body: bytes) -> None:
    assert looks_like_request(body, PROTOBUF) in (True, False)
    assert looks_like_request(body, JSON) in (True, False)


def test_a_field_that_is_not_known_may_stand_beside_the_resources() -> None:
    for body in (b"\x12\x03abc\x0a\x00", b"\x0a\x00\x12\x03abc"):
        assert looks_like_request(body, PROTOBUF)


@pytest.mark.parametrize("kind", METRICS)
def test_metrics_are_told_apart(kind: str) -> None:
    metric = Metric(name="http.server.duration", unit="s")
    metric.MergeFrom(METRICS[kind])
    assert signal_of(metrics(metric), PROTOBUF) == "metrics"


def test_logs_are_told_apart() -> None:
    assert signal_of(logs(LogRecord(time_unix_nano=5)), PROTOBUF) == "logs"


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_no_recording_is_anything_else(capture: Capture) -> None:
    assert {signal_of(value, PROTOBUF) for value in capture.messages} == {""}


@given(requests())
def test_no_request_for_traces_is_anything_else(body: bytes) -> None:
    assert signal_of(body, PROTOBUF) == ""


@given(st.binary(max_size=300))
def test_of_any_bytes_a_signal_is_told(body: bytes) -> None:
    assert signal_of(body, PROTOBUF) in ("", "metrics", "logs")
