"""A Collector by the documented configuration, on the way from an application to sessions."""

from __future__ import annotations

import json
import urllib.error
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest

from spanloom.kafka.topics import PROJECT_HEADER
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.captures_truth import captures
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.collector.batches import CODECS, Batch, batches
from tests.integration.collector.collecting import Collector
from tests.integration.installation import Installation

pytestmark = pytest.mark.clients

ENCODINGS = ("otlp_proto", "otlp_json")

TOPIC = "otlp_spans"

# The recordings whose sessions are compared with what their programs say; all of them go through the Collector.
TRUE_TO_THE_END = ("py-lmnr", "js-lmnr", "py-langfuse", "js-aisdk", "py-otel-genai", "py-traceloop")

_LIMITS, _PRICES = Limits(), Prices()


def spans(value: bytes) -> pa.Table:
    """The spans of a message, as the worker reads them."""
    decoded = decode([OtlpMessage(value)], limits=_LIMITS, prices=_PRICES)
    assert decoded.rejects == []
    return decoded.table


def arrived(installation: Installation, before: list[Batch]) -> list[Batch]:
    """The batches that the topic holds and did not hold before."""
    seen = {(batch.partition, batch.offset) for batch in before}
    found = batches(installation.bootstrap, TOPIC)
    return [batch for batch in found if (batch.partition, batch.offset) not in seen]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_arrives_is_what_was_sent(
    shared_kafka: Installation, collector_binary: Path, tmp_path: Path, encoding: str, codec: str
) -> None:
    exporter = {"traces": {"encoding": encoding}, "producer": {"compression": codec}}
    # Messages of protobuf one behind the other are one message; in one request, they stay one.
    sent = b"".join(message for capture in captures() for message in capture.messages)
    before = batches(shared_kafka.bootstrap, TOPIC)
    with Collector(collector_binary, shared_kafka.bootstrap, tmp_path, exporter) as collector:
        collector.post(sent)
        wait_until(lambda: collector.sent_spans() > 0, "Kafka to have the spans")
    (batch,) = arrived(shared_kafka, before)
    (value,) = batch.values
    assert batch.codec == codec
    assert value.startswith(b"{") == (encoding == "otlp_json")
    assert spans(value).equals(spans(sent))
    assert collector.complaints() == []


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer ", "Bearer another-key", "Basic a2V5LW9mLXRoZS10ZXN0cw=="]
)
def test_without_the_key_nothing_is_taken(
    shared_kafka: Installation, collector_binary: Path, tmp_path: Path, authorization: str | None
) -> None:
    sent = otlp.message(otlp.llm(6, 3))
    before = batches(shared_kafka.bootstrap, TOPIC)
    with Collector(collector_binary, shared_kafka.bootstrap, tmp_path) as collector:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            collector.post(otlp.message(otlp.llm(6, 1)), authorization)
        with pytest.raises(grpc.RpcError) as refused:
            collector.export(otlp.message(otlp.llm(6, 2)), authorization)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        # What comes after them, with the key, is all that arrives.
        collector.post(sent)
        wait_until(lambda: collector.sent_spans() == 1, "Kafka to have the span")
    (batch,) = arrived(shared_kafka, before)
    assert spans(batch.values[0]).equals(spans(sent))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_recordings_become_their_sessions(
    installation: Installation, collector_binary: Path, tmp_path: Path, encoding: str
) -> None:
    exporter = {} if encoding == "otlp_proto" else {"traces": {"encoding": encoding}}
    installation.worker()
    with Collector(collector_binary, installation.bootstrap, tmp_path, exporter) as collector:
        for number, message in enumerate(message for capture in captures() for message in capture.messages):
            if number % 2:
                collector.post(message)
            else:
                collector.export(message)
        truths = {
            session_id: truth
            for capture in captures()
            if capture.name in TRUE_TO_THE_END
            for session_id, truth in capture.truth["sessions"].items()
        }
        installation.wait_for(
            f"""
            SELECT session_id, trace_count AS traces, span_count AS spans, llm_call_count AS llm_calls, input_tokens,
                output_tokens, user_id
            FROM sessions WHERE session_id IN ({", ".join(f"'{session_id}'" for session_id in truths)})
            ORDER BY session_id
            """,
            [session(session_id, truths[session_id]) for session_id in sorted(truths)],
        )
    assert collector.complaints() == []


def session(session_id: str, truth: dict[str, Any]) -> dict[str, Any]:
    """A session's row as it must be."""
    counts = ("traces", "spans", "llm_calls", "input_tokens", "output_tokens")
    row = {"session_id": session_id} | {name: truth[name] for name in counts}
    return row | {"user_id": truth["user_id"] or ""}


def test_a_span_of_seven_megabytes_arrives_over_grpc(
    shared_kafka: Installation, collector_binary: Path, tmp_path: Path
) -> None:
    prompt = json.dumps([{"role": "user", "content": "Ω" * 3_500_000}], ensure_ascii=False)
    sent = otlp.message(otlp.llm(7, 1, gen_ai__input__messages=prompt))
    before = batches(shared_kafka.bootstrap, TOPIC)
    with Collector(collector_binary, shared_kafka.bootstrap, tmp_path) as collector:
        collector.export(sent)
        wait_until(lambda: collector.sent_spans() == 1, "Kafka to have the span")
    (batch,) = arrived(shared_kafka, before)
    assert spans(batch.values[0]).equals(spans(sent))
    assert collector.complaints() == []


def test_spans_wait_while_kafka_is_away(
    kafka_only: Installation, collector_binary: Path, tmp_path: Path
) -> None:
    if kafka_only.kafka is None:
        pytest.skip("the local broker keeps nothing over a restart; Apache Kafka does (make test-kafka)")
    messages = [otlp.message(otlp.llm(trace, 1)) for trace in (1, 2, 3)]
    with Collector(collector_binary, kafka_only.bootstrap, tmp_path) as collector:
        collector.post(messages[0])
        wait_until(lambda: collector.sent_spans() == 1, "Kafka to have the first span")
        kafka_only.kafka.kill()
        collector.post(messages[1])
        wait_until(lambda: collector.complaints() != [], "the Collector to have tried", 60)
        kafka_only.kafka.start()
        collector.post(messages[2])
        wait_until(lambda: collector.sent_spans() == 3, "Kafka to have all spans", 90)
    values = [value for batch in batches(kafka_only.bootstrap, TOPIC) for value in batch.values]
    assert otlp.expected_traces(values) == otlp.expected_traces(messages)


def test_a_header_of_the_exporter_names_the_project(
    shared_kafka: Installation, collector_binary: Path, tmp_path: Path
) -> None:
    exporter = {"record_headers": [{"name": PROJECT_HEADER, "value": "shop"}]}
    before = batches(shared_kafka.bootstrap, TOPIC)
    with Collector(collector_binary, shared_kafka.bootstrap, tmp_path, exporter) as collector:
        collector.post(otlp.message(otlp.llm(9, 1)))
        wait_until(lambda: collector.sent_spans() == 1, "Kafka to have the span")
    (batch,) = arrived(shared_kafka, before)
    assert batch.headers == [{PROJECT_HEADER: b"shop"}]
