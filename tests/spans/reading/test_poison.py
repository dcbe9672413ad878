"""Messages that once stopped a worker at every start."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spanloom.agents.settings import LimitSettings
from spanloom.schemas.facts_pb2 import SpanFacts
from spanloom.spans.folding import contribution as codec
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import WindowKey, contribution_of
from spanloom.spans.folding.facts import SpanLabels
from spanloom.spans.folding.trace.fold import MAX_LISTED_CHARACTERS, fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import Decoded, OtlpMessage, decode
from tests.spans.examples import KEY, fact

FRAME = 10_000
"""Bytes of a message besides its columns, and that packing may add to what can't be packed."""

KAFKA_LIMIT = 1_048_588


def read(value: bytes, project: str = "") -> Decoded:
    return decode([OtlpMessage(value, project)], limits=Limits(), prices=Prices())


@pytest.mark.parametrize("code", [{}, [], None, "STATUS_CODE_NOBODY", 99, -1, "2"])
def test_any_status_code_in_json(code: object) -> None:
    span = {"traceId": "01" * 16, "spanId": "01" * 8, "name": "n", "status": {"code": code}}
    decoded = read(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode())
    assert decoded.table.num_rows == 1


@pytest.mark.parametrize("key", ["langfuse.trace.tags", "tag.tags", "gen_ai.input.messages", "metadata"])
@pytest.mark.parametrize("text", ["[" * 985 + "]" * 985, '{"a":' * 985 + "1" + "}" * 985])
def test_deeply_nested_json_costs_at_most_its_span(key: str, text: str) -> None:
    nested = Span(
        trace_id=b"1" * 16,
        span_id=b"1" * 8,
        attributes=[KeyValue(key=key, value=AnyValue(string_value=text))],
    )
    neighbour = Span(trace_id=b"2" * 16, span_id=b"2" * 8)
    decoded = read(request([nested, neighbour]))
    assert "32" * 16 in decoded.table["trace_id"].to_pylist()
    assert decoded.table.num_rows + len(decoded.rejects) == 2


def test_bad_spans_of_a_large_resource_do_not_multiply_it() -> None:
    large = Resource(attributes=[KeyValue(key="k", value=AnyValue(string_value="x" * 1_000_000))])
    decoded = read(request([Span(name="bad")] * 64, large))
    assert sum(len(reject.payload) for reject in decoded.rejects) < 5_000_000


def test_a_trace_of_many_long_labels_makes_a_contribution_that_fits_a_record() -> None:
    facts = [
        fact(
            span,
            model="界" * 1000 + str(span),
            span_type=1,
            service_name="世" * 1000 + str(span),
            labels=SpanLabels(tuple(f"{span} {tag} " + "界" * 1000 for tag in range(64)), ()),
        )
        for span in range(1, 30)
    ]
    trace = fold(KEY, facts)
    assert 0 < sum(map(len, trace.tags)) <= MAX_LISTED_CHARACTERS
    [message] = codec.encode([contribution_of(trace, WindowKey("default", "s", 0), 1)])
    assert len(message) < KAFKA_LIMIT


def test_facts_with_long_texts_of_every_kind_fit_a_record() -> None:
    facts = [fact(span, model="界" * 1024, service_name=f"{span}" + "世" * 1000) for span in range(1, 3000)]
    assert max(map(len, facts_codec.encode_trace(KEY, facts))) < KAFKA_LIMIT


@pytest.mark.parametrize(("name", "labels"), [(4096, 16), (1024, 64), (64, 1024)])
def test_the_facts_of_a_span_fit_a_record_with_the_widest_limits(name: int, labels: int) -> None:
    limits = LimitSettings(name=name, labels=labels).limits()
    wide = "🙏" * name
    attributes = {
        "session.id": wide,
        "user.id": wide,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": wide,
        "tag.tags": json.dumps([f"{number:05}{wide}" for number in range(labels)], ensure_ascii=False),
        "metadata": json.dumps({f"{number:05}{wide}": wide for number in range(labels)}, ensure_ascii=False),
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": "🙏" * 5000}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": "🙏" * 5000}]),
    }
    span = Span(
        trace_id=b"1" * 16,
        span_id=b"1" * 8,
        name=wide,
        attributes=[KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in attributes.items()],
    )
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=wide))])
    table = decode([OtlpMessage(request([span], resource), wide)], limits=limits, prices=Prices()).table
    version = table.append_column("version", table["input_tokens"])
    [(_, message)] = facts_codec.encode_table(version, 1)
    assert 800_000 < SpanFacts.FromString(message).columns_size < KAFKA_LIMIT - FRAME


def test_facts_of_many_traces_of_a_project_with_a_long_name_fit_a_record() -> None:
    spans = [Span(trace_id=n.to_bytes(16), span_id=b"1" * 8) for n in range(1, 3000)]
    table = read(request(spans), "🙏" * 1024).table
    version = table.append_column("version", table["input_tokens"])
    assert max(len(message) for _, message in facts_codec.encode_table(version, 1)) < KAFKA_LIMIT


def request(spans: list[Span], resource: Resource | None = None) -> bytes:
    inside = ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])
    return ExportTraceServiceRequest(resource_spans=[inside]).SerializeToString()
