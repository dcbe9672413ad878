"""OTLP/gRPC, against a real receiver on a real broker (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from spanloom.receiver.grpc_server import SERVICE
from spanloom.receiver.keys import hash_of
from spanloom.receiver.requests.envelope import PROTOBUF
from tests.fixtures_local import wait_until
from tests.integration.installation import Installation
from tests.integration.otlp import message, span
from tests.integration.receiver.receiving import EXPORT, Receiver, retry_info

KEY = (("authorization", "Bearer one"),)
LIMIT = 10 * 2**20  # bytes; what the topic takes


@pytest.fixture(scope="module")
def receiver(shared_kafka: Installation) -> Iterator[Receiver]:
    keys = f"shop:{hash_of('one').hex()},bank:{hash_of('two').hex()}"
    settings = {"body_timeout": 2, "max_grpc_bytes": 16 << 20}
    with Receiver(shared_kafka.environment, shared_kafka.folder, keys=keys, **settings) as receiver:
        yield receiver


def records(kafka: Installation, marker: str) -> list[Any]:
    """The records of the topic that hold a text."""
    return [record for record in kafka.consume("otlp_spans") if marker.encode() in record.value]


def refused(call: Callable[[], object]) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value


def code(error: grpc.RpcError) -> grpc.StatusCode:
    assert isinstance(error, grpc.Call)
    return error.code()


def test_an_empty_request_succeeds(receiver: Receiver) -> None:
    assert receiver.export(b"", KEY) == b""


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_requests_are_stored_as_they_came(
    receiver: Receiver, shared_kafka: Installation, compression: grpc.Compression | None
) -> None:
    marker = f"over gRPC {compression}"
    body = message(span(1, 1, name=marker), resource={"spanloom.project_id": "bank"})
    assert receiver.export(body, (*KEY, ("spanloom-project", "bank")), compression) == b""
    (record,) = records(shared_kafka, marker)
    assert record.value == body
    assert record.headers == (("spanloom-project", b"shop"), ("content-type", PROTOBUF.encode()))


def test_the_generated_client_of_opentelemetry_is_served(
    receiver: Receiver, shared_kafka: Installation
) -> None:
    request = ExportTraceServiceRequest.FromString(message(span(1, 1, name="by the stub")))
    with receiver.channel() as channel:
        stub: Any = TraceServiceStub(channel)  # type: ignore[no-untyped-call]
        answer = stub.Export(request, metadata=[("x-api-key", "two")], timeout=60)
    assert answer == ExportTraceServiceResponse()
    (record,) = records(shared_kafka, "by the stub")
    assert dict(record.headers)["spanloom-project"] == b"bank"


@pytest.mark.parametrize(
    ("body", "metadata", "expected"),
    [
        (b"", (), grpc.StatusCode.UNAUTHENTICATED),
        (b"", (("authorization", "Bearer three"),), grpc.StatusCode.UNAUTHENTICATED),
        (b"", (("authorization", "Basic !"),), grpc.StatusCode.UNAUTHENTICATED),
        (b"this is not protobuf", KEY, grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(65 << 20), KEY, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_what_is_refused_for_good_names_no_wait(
    receiver: Receiver, body: bytes, metadata: tuple[tuple[str, str], ...], expected: grpc.StatusCode
) -> None:
    error = refused(lambda: receiver.export(body, metadata))
    assert code(error) is expected
    assert retry_info(error) is None


def test_a_bomb_is_refused_and_memory_stays_small(receiver: Receiver) -> None:
    receiver.forget_peak_memory()
    before = receiver.peak_memory()
    # Twice: what the first one needed must be free again.
    for _ in range(2):
        error = refused(lambda: receiver.export(bytes(512 << 20), KEY, grpc.Compression.Gzip))
        assert code(error) is grpc.StatusCode.RESOURCE_EXHAUSTED
    # gRPC doubles what it unpacks into up to the limit of 64 MiB, and may hold two such while it copies.
    assert receiver.peak_memory() - before < 5 * (64 << 20)


def test_without_a_key_a_request_is_not_even_read(receiver: Receiver) -> None:
    receiver.forget_peak_memory()
    before = receiver.peak_memory()
    body = bytes(60 << 20)
    with receiver.channel() as channel:
        call: Any = channel.unary_unary(EXPORT)
        under_way = [call.future(body, timeout=60) for _ in range(20)]
        for one in under_way:
            error = one.exception()
            assert isinstance(error, grpc.RpcError)
            assert code(error) is grpc.StatusCode.UNAUTHENTICATED
    assert receiver.peak_memory() - before < 5 * len(body)


def test_a_request_that_does_not_come_is_refused_in_time(receiver: Receiver) -> None:
    end = threading.Event()

    def nothing() -> Iterator[bytes]:
        end.wait(60)
        yield b""

    try:
        with receiver.channel() as channel:
            call: Any = channel.stream_unary(EXPORT)
            error = refused(lambda: call(nothing(), metadata=KEY, timeout=60))
    finally:
        end.set()
    assert code(error) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert isinstance(error, grpc.Call)
    assert "too long to arrive" in (error.details() or "")
    wait_until(
        lambda: receiver.metrics()["spanloom_receiver_requests_in_flight"] == 0, "nothing to be in flight"
    )


def test_a_call_without_a_request_is_refused(receiver: Receiver) -> None:
    with receiver.channel() as channel:
        error = refused(lambda: channel.stream_unary(EXPORT)(iter(()), metadata=KEY, timeout=60))
    assert code(error) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_span_too_large_is_a_partial_success(receiver: Receiver, shared_kafka: Installation) -> None:
    body = message(span(1, 1, name="fits well"), span(1, 2, name="too large", text="x" * LIMIT))
    partial = ExportTraceServiceResponse.FromString(receiver.export(body, KEY)).partial_success
    assert partial.rejected_spans == 1
    assert partial.error_message
    (record,) = records(shared_kafka, "fits well")
    assert len(record.value) < 1000


def test_other_services_are_not_there(receiver: Receiver) -> None:
    path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
    with receiver.channel() as channel:
        call: Any = channel.unary_unary(path)
        error = refused(lambda: call(b"", metadata=KEY, timeout=60))
    assert code(error) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("service", ["", SERVICE])
def test_the_health_service_reports_that_it_serves(receiver: Receiver, service: str) -> None:
    with receiver.channel() as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)

        def serves() -> bool:
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=60)
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

        wait_until(serves, "SERVING")


def test_a_project_that_sends_too_fast_learns_how_long_to_wait(shared_kafka: Installation) -> None:
    with Receiver(shared_kafka.environment, shared_kafka.folder, rate_bytes=10_000) as receiver:
        body = message(span(1, 1, text="x" * 150_000))
        receiver.export(body)
        error = refused(lambda: receiver.export(body))
    assert code(error) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 0 < (retry_info(error) or 0) <= 7


def test_a_client_that_goes_away_in_its_call_leaves_nothing(receiver: Receiver) -> None:
    with receiver.channel() as channel:
        call: Any = channel.unary_unary(EXPORT)
        for _ in range(20):
            call.future(message(span(1, 1, text="x" * 100_000)), metadata=KEY, timeout=60).cancel()
    wait_until(
        lambda: (
            receiver.metrics()["spanloom_receiver_requests_in_flight"] == 0
            and receiver.metrics()["spanloom_receiver_bytes_in_flight"] == 0
        ),
        "nothing to be in flight",
    )
    assert receiver.export(b"", KEY) == b""
    assert "never retrieved" not in receiver.log
