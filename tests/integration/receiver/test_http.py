"""OTLP/HTTP, against a real receiver on a real broker (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import sys
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from google.rpc import code_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from spanloom.receiver.keys import hash_of
from spanloom.receiver.requests.envelope import JSON, PROTOBUF
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.fixtures_local import wait_until
from tests.integration.installation import Installation
from tests.integration.otlp import message, span
from tests.integration.receiver.receiving import Receiver, json_of, retry_delay
from tests.spans.reading.otlp_examples import otlp_json_bytes
from tests.spans.reading.requests.test_signals import METRICS, logs, metrics

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

KEY = {"Authorization": "Bearer one"}
LIMIT = 10 * 2**20  # bytes; what the topic takes


@pytest.fixture(scope="module")
def receiver(shared_kafka: Installation) -> Iterator[Receiver]:
    keys = f"shop:{hash_of('one').hex()},bank:{hash_of('two').hex()}"
    settings = {"max_body_bytes": 32 << 20, "max_message_bytes": 64 << 20, "body_timeout": 2}
    origin = "https://app.example"
    with Receiver(
        shared_kafka.environment, shared_kafka.folder, keys=keys, cors_origins=origin, **settings
    ) as receiver:
        yield receiver


def records(kafka: Installation, marker: str) -> list[Any]:
    """The records of the topic that hold a text."""
    return [record for record in kafka.consume("otlp_spans") if marker.encode() in record.value]


def headers_of(record: Any) -> dict[str, bytes]:
    return dict(record.headers)


@pytest.mark.parametrize(
    ("content_type", "answer"),
    [(PROTOBUF, b""), ("application/protobuf", b""), (JSON, b"{}"), (f"{JSON}; charset=utf-8", b"{}")],
)
def test_an_empty_request_succeeds(receiver: Receiver, content_type: str, answer: bytes) -> None:
    answered = receiver.post(b"", KEY, content_type=content_type)
    assert (answered.status, answered.body) == (200, answer)
    assert answered.headers["content-type"].split(";")[0] == (JSON if "json" in content_type else PROTOBUF)


@pytest.mark.parametrize("path", ["/v1/traces", "/api/public/otel/v1/traces"])
def test_protobuf_and_json_are_stored_as_they_came(
    receiver: Receiver, shared_kafka: Installation, path: str
) -> None:
    marker = f"as they came {path}"
    protobuf = message(span(1, 1, name=marker))
    as_json = otlp_json_bytes(protobuf)
    assert receiver.post(protobuf, KEY, path=path)[0] == 200
    answered = receiver.post(as_json, KEY, path=path, content_type=JSON)
    assert (answered.status, json_of(answered)) == (200, {})
    found = {record.value: headers_of(record) for record in records(shared_kafka, marker)}
    assert found == {
        protobuf: {"spanloom-project": b"shop", "content-type": PROTOBUF.encode()},
        as_json: {"spanloom-project": b"shop", "content-type": JSON.encode()},
    }


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def test_packed_bodies_are_stored_unpacked(receiver: Receiver, shared_kafka: Installation) -> None:
    body = message(*(span(1, number, name=f"packed {number}") for number in range(1, 9)))
    for encoding, packed in [
        ("gzip", gzip.compress(body)),
        ("GZIP", gzip.compress(body)),
        ("deflate", zlib.compress(body)),
        ("deflate", bare_deflate(body)),
        ("zstd", zstd.compress(body)),
        ("identity", body),
    ]:
        assert receiver.post(packed, {**KEY, "Content-Encoding": encoding}).status == 200, encoding
    assert [record.value for record in records(shared_kafka, "packed 8")] == [body] * 6


def test_a_large_body_is_unpacked_too(receiver: Receiver, shared_kafka: Installation) -> None:
    body = message(span(1, 1, name="large and packed", text="x" * (5 << 20)))
    assert receiver.post(gzip.compress(body), {**KEY, "Content-Encoding": "gzip"}).status == 200
    assert [record.value for record in records(shared_kafka, "large and packed")] == [body]


@pytest.mark.parametrize(
    ("status", "code", "request_"),
    [
        (400, code_pb2.INVALID_ARGUMENT, {"body": b"this is not protobuf"}),
        (400, code_pb2.INVALID_ARGUMENT, {"body": b"x", "headers": {**KEY, "Content-Encoding": "gzip"}}),
        (401, code_pb2.UNAUTHENTICATED, {"headers": {}}),
        (401, code_pb2.UNAUTHENTICATED, {"headers": {"Authorization": "Bearer three"}}),
        (401, code_pb2.UNAUTHENTICATED, {"headers": {"Authorization": "Basic k\u00e9"}}),
        (401, code_pb2.UNAUTHENTICATED, {"headers": {"x-api-key": "x" * 7000}}),
        (404, code_pb2.UNIMPLEMENTED, {"path": "/v1/logs"}),
        (404, code_pb2.UNIMPLEMENTED, {"path": "/v1/traces/"}),
        (405, code_pb2.UNIMPLEMENTED, {"method": "GET"}),
        (413, code_pb2.INVALID_ARGUMENT, {"body": bytes(33 << 20)}),
        (415, code_pb2.UNIMPLEMENTED, {"content_type": "text/plain"}),
        (415, code_pb2.UNIMPLEMENTED, {"headers": {**KEY, "Content-Encoding": "br"}}),
        (415, code_pb2.UNIMPLEMENTED, {"headers": {**KEY, "Content-Encoding": "gzip, gzip"}}),
    ],
)
def test_a_refusal_is_a_status_in_protobuf(
    receiver: Receiver, status: int, code: int, request_: dict[str, Any]
) -> None:
    answered = receiver.post(**{"body": b"\x0a\x00", "headers": KEY, **request_})
    assert answered.status == status
    refusal = answered.refusal()
    assert refusal.code == code
    assert refusal.message.endswith(".")
    # Sent again it would be refused again.
    assert "retry-after" not in answered.headers
    assert retry_delay(refusal) is None
    assert ("www-authenticate" in answered.headers) == (status == 401)
    assert ("allow" in answered.headers) == (status == 405)


@pytest.mark.parametrize(
    ("status", "request_"),
    [(400, {"body": b"["}), (401, {"headers": {}}), (404, {"path": "/v1/metrics"}), (405, {"method": "GET"})],
)
def test_a_refusal_of_json_is_json(receiver: Receiver, status: int, request_: dict[str, Any]) -> None:
    answered = receiver.post(**{"body": b"{}", "headers": KEY, "content_type": JSON, **request_})
    assert answered.status == status
    refusal = json_of(answered)
    assert set(refusal) == {"code", "message"}


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        (JSON, b"{}", "has no list `resourceSpans`"),
        (JSON, b'{"resourceSpans":null}', "has no list `resourceSpans`"),
        (JSON, b'{"resourceMetrics":[{"scopeMetrics":[]}]}', "has no list `resourceSpans`"),
        (JSON, b'{"resourceLogs":[]}', "has no list `resourceSpans`"),
        (JSON, b'[{"resourceSpans":[]}]', "no ExportTraceServiceRequest"),
        (JSON, b'{"resource_spans":{"0":{}}}', "has no list `resourceSpans`"),
        (JSON, b'{"resourceSpans":[{"spans":[{}]}]}', "has no list `scopeSpans`"),
        (JSON, b'{"resourceSpans":[{"scopeSpans":[{"span":{}}]}]}', "has no list `spans`"),
        (JSON, b'{"resourceSpans":["x"]}', "is no object"),
        (JSON, b'{"resourceSpans":[}', "not valid JSON"),
        (PROTOBUF, metrics(Metric(name="m", gauge=METRICS["gauge"].gauge)), "holds metrics"),
        (PROTOBUF, logs(LogRecord(time_unix_nano=5)), "holds logs"),
        (PROTOBUF, b"\x12\x03abc", "no ExportTraceServiceRequest"),
    ],
)
def test_what_is_no_trace_is_refused_and_not_stored(
    receiver: Receiver, content_type: str, body: bytes, sentence: str
) -> None:
    stored = "spanloom_receiver_messages_total"
    before = receiver.metrics()[stored]
    answered = receiver.post(body, KEY, content_type=content_type)
    assert answered.status == 400
    said = str(json_of(answered)["message"]) if content_type == JSON else answered.refusal().message
    assert sentence in said
    assert receiver.metrics()[stored] == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceSpans":[]}',
        b' { "new" : 1 , "resource_spans" : [ ] } ',
        b'{"resourceSpans":[{"resource":{},"schemaUrl":""}]}',
        b'{"new":[{}],"resourceSpans":[{"new":1,"scopeSpans":[{"new":2,"spans":[{"new":3}]}]}]}',
        b'{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{}]}]}]}',
    ],
)
def test_what_otlp_ignores_is_stored_with_the_rest(receiver: Receiver, body: bytes) -> None:
    answered = receiver.post(body, KEY, content_type=JSON)
    assert (answered.status, json_of(answered)) == (200, {})


def test_every_way_to_name_a_key_leads_to_its_project(receiver: Receiver, shared_kafka: Installation) -> None:
    basic = "Basic " + b64encode(b"pk-lf-1:two").decode()
    for headers in ({"Authorization": "Bearer two"}, {"Authorization": basic}, {"X-API-Key": "two"}):
        assert receiver.post(message(span(1, 1, name="a named key")), headers).status == 200
    projects = [headers_of(r)["spanloom-project"] for r in records(shared_kafka, "a named key")]
    assert projects == [b"bank"] * 3


def test_no_sender_chooses_another_project(receiver: Receiver, shared_kafka: Installation) -> None:
    body = message(span(1, 1, name="a spy"), resource={"spanloom.project_id": "bank"})
    chosen = {"spanloom-project": "bank", "spanloom-replay": "1"}
    assert receiver.post(body, {**KEY, **chosen}).status == 200
    (record,) = records(shared_kafka, "a spy")
    assert record.headers == (("spanloom-project", b"shop"), ("content-type", PROTOBUF.encode()))
    read = decode(
        [OtlpMessage(record.value, project_id=headers_of(record)["spanloom-project"].decode())],
        limits=Limits(),
        prices=Prices(),
    )
    assert read.table.column("project_id").to_pylist() == ["shop"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate"])
def test_a_bomb_is_refused_and_memory_stays_small(receiver: Receiver, encoding: str) -> None:
    pack: Any = {"gzip": gzip.compress, "zstd": zstd.compress, "deflate": zlib.compress}[encoding]
    bomb = pack(bytes(1 << 30))
    assert len(bomb) < 2 << 20
    receiver.forget_peak_memory()
    before = receiver.peak_memory()
    for _ in range(3):
        answered = receiver.post(bomb, {**KEY, "Content-Encoding": encoding})
        assert answered.status == 413
        assert "unpacks to more than" in answered.refusal().message
    # What is allowed, twice, for it grows in place.
    assert receiver.peak_memory() - before < 5 * (64 << 20)


def test_a_large_request_is_split_and_a_span_too_large_is_refused(
    receiver: Receiver, shared_kafka: Installation
) -> None:
    spans = [span(1, number, name=f"split {number}", text="x" * 400_000) for number in range(1, 31)]
    spans.insert(7, span(1, 99, name="split 99", text="x" * LIMIT))
    body = message(*spans)
    answered = receiver.post(body, KEY)
    assert answered.status == 200
    partial = ExportTraceServiceResponse.FromString(answered.body).partial_success
    assert partial.rejected_spans == 1
    assert "1 spans are larger" in partial.error_message
    found = records(shared_kafka, "split ")
    assert len(found) == 2
    assert all(len(record.value) < LIMIT for record in found)
    assert {headers_of(record)["spanloom-project"] for record in found} == {b"shop"}
    sent = _spans(body)
    del sent[7]
    assert sorted((one for record in found for one in _spans(record.value)), key=sent.index) == sent


def test_json_that_is_too_large_says_so_in_json(receiver: Receiver) -> None:
    body = otlp_json_bytes(message(span(1, 1, name="too large", text="x" * LIMIT)))
    answered = receiver.post(body, KEY, content_type=JSON)
    assert answered.status == 200
    partial = json_of(answered)["partialSuccess"]
    assert isinstance(partial, dict)
    assert partial["rejectedSpans"] == "1"
    assert partial["errorMessage"]


def _spans(body: bytes) -> list[bytes]:
    return [
        one.SerializeToString()
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    ]


def preflight(receiver: Receiver, origin: str) -> Mapping[str, str]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answered = receiver.post(b"", asked, method="OPTIONS")
    return answered.headers if answered.status == 200 else {}


def test_a_browser_of_a_named_origin_may_send(receiver: Receiver) -> None:
    headers = preflight(receiver, "https://app.example")
    assert headers["access-control-allow-origin"] == "https://app.example"
    assert headers["access-control-allow-methods"] == "POST"
    assert "AUTHORIZATION" in headers["access-control-allow-headers"].upper()
    for key, status in ((KEY, 200), ({}, 401)):
        answered = receiver.post(b"", {**key, "Origin": "https://app.example"})
        assert answered.status == status
        assert answered.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in preflight(receiver, "https://other.example")


def test_without_the_setting_no_browser_may_send(shared_kafka: Installation) -> None:
    with Receiver(shared_kafka.environment, shared_kafka.folder) as receiver:
        assert preflight(receiver, "https://app.example") == {}
        answered = receiver.post(b"", {"Origin": "https://app.example"})
        assert "access-control-allow-origin" not in answered.headers


@contextlib.contextmanager
def begun(receiver: Receiver, key: str = "one") -> Iterator[socket.socket]:
    """A request whose body does not come to its end."""
    with socket.create_connection(("127.0.0.1", receiver.http_port), timeout=30) as connection:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        connection.sendall(head.encode() + b"Content-Length: 100\r\n\r\n\x0a\x05half")
        yield connection


def in_flight(receiver: Receiver) -> tuple[float, float]:
    metrics = receiver.metrics()
    return (
        metrics["spanloom_receiver_requests_in_flight"],
        metrics["spanloom_receiver_bytes_in_flight"],
    )


def test_a_body_that_does_not_come_is_refused_in_time(receiver: Receiver) -> None:
    with begun(receiver) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
    wait_until(lambda: in_flight(receiver) == (0, 0), "nothing to be in flight")


def test_a_client_that_goes_away_in_its_request_leaves_nothing(receiver: Receiver) -> None:
    failed = 'spanloom_receiver_requests_total{outcome="malformed",transport="http"}'
    before = receiver.metrics().get(failed, 0)
    with begun(receiver):
        wait_until(lambda: in_flight(receiver)[1] > 0, "the request to be in flight")
    wait_until(lambda: in_flight(receiver) == (0, 0), "nothing to be in flight")
    assert receiver.metrics()[failed] == before + 1
    assert "Traceback" not in receiver.log


def test_headers_without_end_are_refused(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.http_port), timeout=30) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (1 << 20))
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1000).startswith(b"HTTP/1.0 400 ")
    assert receiver.post(b"", KEY).status == 200


def test_a_project_that_sends_too_fast_has_to_wait(shared_kafka: Installation) -> None:
    with Receiver(shared_kafka.environment, shared_kafka.folder, rate_bytes=10_000) as receiver:
        body = message(span(1, 1, text="x" * 150_000))
        assert receiver.post(body).status == 200
        answered = receiver.post(body)
        assert answered.status == 429
        assert 0 < int(answered.headers["retry-after"]) <= 7
        refusal = answered.refusal()
        assert refusal.code == code_pb2.RESOURCE_EXHAUSTED
        assert 0 < (retry_delay(refusal) or 0) <= 7


def test_more_requests_than_allowed_are_asked_to_come_later(shared_kafka: Installation) -> None:
    with (
        Receiver(shared_kafka.environment, shared_kafka.folder, max_requests=1) as receiver,
        begun(receiver),
    ):
        wait_until(lambda: in_flight(receiver)[0] == 1, "the request to be in flight")
        answered = receiver.post(b"")
        assert answered.status == 503
        assert int(answered.headers["retry-after"]) >= 1
        assert answered.refusal().code == code_pb2.UNAVAILABLE


def test_the_health_endpoint_answers_anybody(receiver: Receiver) -> None:
    answered = receiver.post(b"", {}, path="/health", method="GET")
    assert (answered.status, json.loads(answered.body)) == (200, {"ok": True})
