"""The benchmark's load: what it says of itself is what spanloom finds in it."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load.encode import event, messages
from benchmarks.load.kinds import KINDS
from benchmarks.load.load import Load, Totals, Truth
from benchmarks.load.texts import Texts
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


@pytest.mark.parametrize("kind", KINDS)
def test_spanloom_finds_what_the_load_knows_to_be_true(kind: str) -> None:
    load = Load(max(3000, 8 * KINDS[kind].spans), start=START, kind=KINDS[kind])
    found = _found(list(messages(load.spans(), 500)))
    assert found == load.truth
    assert found.all.spans == load.traces * KINDS[kind].spans


def test_the_load_has_what_makes_it_hard() -> None:
    load = _load(3000)
    assert list(load.spans())
    assert load.truth.all.errors
    assert load.truth.all.cost
    assert load.truth.in_sessions().traces < load.truth.all.traces, "some traces have no session"


def test_the_history_of_an_agent_grows() -> None:
    spans = list(Load(14, start=START, kind=KINDS["agents"]).spans())
    histories = [len(str(span.attributes.get("gen_ai.input.messages", ""))) for span in spans]
    grown = [length for length in histories if length]
    assert grown == sorted(grown)
    assert grown[0] < 5_000
    assert 45_000 < grown[-1] < 56_000


def test_plain_spans_are_small() -> None:
    spans = list(Load(1000, start=START, kind=KINDS["plain"]).spans())
    assert sum(map(len, messages(spans))) / len(spans) < 500


def test_fresh_texts_do_not_repeat() -> None:
    texts = Texts(Random(1), fresh=True)
    taken = [texts.exactly(10_000) for _ in range(100)]
    pieces = {text[at : at + 100] for text in taken for at in range(0, 10_000, 100)}
    assert len(pieces) == 10_000


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
