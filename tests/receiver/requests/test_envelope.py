"""What is taken for OTLP by its frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.receiver.requests.envelope import JSON, PROTOBUF, looks_like_request
from tests.captures_truth import Capture, captures
from tests.spans.reading.otlp_examples import otlp_json_bytes


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
