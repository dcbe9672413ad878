"""The benchmark's load: what it says of itself is what spanloom finds in it."""

from __future__ import annotations

from collections import Counter

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load.encode import event, messages
from benchmarks.load.load import Load, Totals, Truth
from spanloom.spans.folding.facts import Fact, TraceKey, facts_of
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode

START = 1_780_000_000_000_000_000  # nanoseconds since the epoch


def _load(spans: int = 600, seed: int = 1) -> Load:
    return Load(spans, start=START, seed=seed)


def _found(encoded: list[bytes]) -> Truth:
    """What spanloom's own decoding and folding make of messages."""
    decoded = decode([OtlpMessage(value) for value in encoded], limits=Limits(), prices=Prices())
    assert not decoded.rejects
    traces: dict[TraceKey, list[Fact]] = {}
    table = decoded.table
    for key, facts in facts_of(table.append_column("version", [[1] * table.num_rows])):
        traces.setdefault(key, []).extend(facts)
    truth = Truth()
    for key, facts in traces.items():
        trace = fold(key, facts)
        counters = trace.counters._asdict()
        truth.add(
            trace.session_id,
            Totals(
                traces=1,
                spans=counters["span_count"],
                llm_calls=counters["llm_call_count"],
                tool_calls=counters["tool_call_count"],
                errors=counters["error_count"],
                input_tokens=counters["input_tokens"],
                output_tokens=counters["output_tokens"],
                cost=counters["total_cost"],
            ),
        )
    return truth


def test_spanloom_finds_what_the_load_knows_to_be_true() -> None:
    load = _load(3000)
    found = _found(list(messages(load.spans(), 500)))
    assert found == load.truth
    assert found.all.errors
    assert found.all.cost
    assert found.in_sessions().traces < found.all.traces, "some traces have no session"


def test_the_same_seed_makes_the_same_load() -> None:
    first, second, other = (list(messages(_load(seed=seed).spans())) for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_the_messages_are_otlp() -> None:
    load = _load()
    spans = list(load.spans())
    read = [
        span
        for value in messages(spans, 500)
        for resource in ExportTraceServiceRequest.FromString(value).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {span.span_id for span in read} == {span.span_id for span in spans}
    sent = {span.span_id: span for span in spans}
    for span in read:
        attributes = {
            pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "") for pair in span.attributes
        }
        assert attributes == sent[span.span_id].attributes
        assert span.parent_span_id == sent[span.span_id].parent_span_id


def test_spans_come_when_they_end_and_traces_run_side_by_side() -> None:
    ended: dict[bytes, int] = {}
    neighbours = Counter[bool]()
    last = b""
    for span in _load().spans():
        assert ended.get(span.trace_id, 0) <= span.end_time
        ended[span.trace_id] = span.end_time
        neighbours[span.trace_id == last] += 1
        last = span.trace_id
    assert neighbours[False] > 100


def test_spans_are_of_realistic_size() -> None:
    spans = list(_load(2000).spans())
    assert 12 <= sum(len(span.attributes) for span in spans) / len(spans) <= 20
    texts = [len(value) for span in spans for value in span.attributes.values() if isinstance(value, str)]
    assert 5_000 < max(texts) < 45_000
    assert 1_500 < sum(len(event(span)) for span in spans) / len(spans) < 5_000
