"""Gemini's interactions: what counts of them, and that what is fetched again is no second call."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanloom.spans.table import IS_COPY
from tests.spans.reading.otlp_examples import read, request, rows, span

OPENINFERENCE = "openinference.instrumentation.google_genai"
USED = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gemini-2.5-flash",
    "llm.token_count.prompt": 67,
    "llm.token_count.completion": 28,
    "llm.token_count.total": 95,
}


def row(given: Span, scope: str) -> dict[str, Any]:
    """The row of a span of an instrumentation."""
    message = ExportTraceServiceRequest.FromString(request(given))
    message.resource_spans[0].scope_spans[0].scope.name = scope
    [found] = rows(read(message.SerializeToString()))
    return found


@pytest.mark.parametrize(
    ("name", "kind", "is_copy"),
    [
        ("InteractionsResource.get", "LLM", True),
        ("AsyncInteractionsResource.get", "LLM", True),
        ("InteractionsResource.create", "LLM", False),
        # An agent's result states no usage and is no call.
        ("InteractionsResource.get", "AGENT", False),
    ],
)
def test_what_is_fetched_is_a_copy(name: str, kind: str, is_copy: bool) -> None:
    found = row(span(USED | {"openinference.span.kind": kind}, name=name), OPENINFERENCE)
    assert bool(found["marks"] & IS_COPY) is is_copy
    assert not row(span(USED | {"openinference.span.kind": kind}, name=name), "tests")["marks"] & IS_COPY


class TestOpenTelemetry:
    SCOPE = "opentelemetry.instrumentation.google_genai"
    USED: ClassVar[dict[str, Any]] = {
        "gen_ai.response.model": "gemini-2.5-flash",
        "gen_ai.provider.name": "gemini",
        "gen_ai.usage.input_tokens": 57,
        "gen_ai.usage.output_tokens": 23,
        "gen_ai.usage.cache_read.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5,
    }

    @pytest.mark.parametrize(("operation", "output"), [("interactions.create", 28), ("generate_content", 23)])
    def test_thoughts_are_beside_the_output_of_an_interaction(self, operation: str, output: int) -> None:
        attributes = self.USED | {"gen_ai.operation.name": operation}
        found = row(span(attributes, name=f"{operation} gemini-2.5-flash"), self.SCOPE)
        assert (found["input_tokens"], found["output_tokens"], found["reasoning_tokens"]) == (57, output, 5)

    def test_what_works_in_the_background_is_a_call_without_usage(self) -> None:
        attributes = {
            "gen_ai.operation.name": "interactions.create",
            "gen_ai.request.model": "gemini-2.5-flash",
        }
        found = row(span(attributes, name="interactions.create gemini-2.5-flash"), self.SCOPE)
        assert (found["span_type"], found["input_tokens"]) == ("LLM", 0)

    def test_what_is_fetched_is_no_call(self) -> None:
        attributes = {"gen_ai.operation.name": "fetch_response", "gen_ai.response.model": "gemini-2.5-flash"}
        assert row(span(attributes, name="fetch_response"), self.SCOPE)["span_type"] == "DEFAULT"
