"""How a refusal is reported over HTTP and over gRPC."""

from __future__ import annotations

import pytest
from google.protobuf.json_format import ParseDict
from google.rpc import code_pb2, error_details_pb2, status_pb2

from spanloom.receiver.refusals import Reason, Refused

RETRYABLE_HTTP = {429, 502, 503, 504}
"""https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes"""


@pytest.mark.parametrize("reason", Reason)
def test_only_what_passes_by_itself_looks_retryable(reason: Reason) -> None:
    passes = reason in (Reason.TOO_FAST, Reason.UNAVAILABLE)
    assert (reason.http_status in RETRYABLE_HTTP) == passes
    assert reason.grpc_code != code_pb2.OK


def test_a_wait_is_retry_info_and_retry_after() -> None:
    refused = Refused(Reason.TOO_FAST, "Slower.", 1.25)
    status = refused.status()
    assert (status.code, status.message) == (code_pb2.RESOURCE_EXHAUSTED, "Slower.")
    info = error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert (info.retry_delay.seconds, info.retry_delay.nanos) == (1, 250_000_000)
    assert refused.http_headers() == {"Retry-After": "2"}


def test_what_is_refused_for_good_names_no_wait() -> None:
    refused = Refused(Reason.MALFORMED, "No.")
    assert not refused.status().details
    assert refused.http_headers() == {}


def test_a_missing_key_says_how_to_send_one() -> None:
    assert Refused(Reason.NO_KEY, "No.").http_headers() == {"WWW-Authenticate": 'Bearer realm="spanloom"'}


@pytest.mark.parametrize("wait", [None, 0.1, 2.0])
def test_the_json_is_the_protobuf(wait: float | None) -> None:
    refused = Refused(Reason.UNAVAILABLE, 'Say "please".', wait)
    assert ParseDict(refused.status_json(), status_pb2.Status()) == refused.status()
