"""Counts of tokens keep their contract, whatever a span states; which parts are inside follows from what it says."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.spans.conventions.families import FAMILIES, NOTHING_BESIDE, Beside, beside
from spanloom.spans.conventions.precedence.parts import PARTS
from spanloom.spans.conventions.precedence.usage import USAGE
from spanloom.spans.reading.span.usage import Stated, Usage, usage_of
from tests.spans.reading.otlp_examples import read, request, row, rows, span

_COUNT = st.none() | st.integers(0, 12) | st.integers(0, 10**12)


def kept(usage: Usage) -> bool:
    """The contract of the columns."""
    return (
        usage.cache_read + usage.cache_write <= usage.input
        and usage.reasoning <= usage.output
        and (not usage.unsplit or not (usage.input or usage.output))
    )


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 25)
@given(st.builds(Stated, *[_COUNT] * 6), *[st.booleans()] * 4)
def test_no_statement_breaks_the_contract(
    stated: Stated, is_embedding: bool, cache: bool, reasoning: bool, rest: bool
) -> None:
    usage = usage_of(
        stated,
        is_embedding=is_embedding,
        cache_is_beside=cache,
        reasoning_is_beside=reasoning,
        rest_is_reasoning=rest,
    )
    assert kept(usage)
    assert usage.input >= (stated.input or 0)
    assert usage.output >= (stated.output or 0)


_KEYS = sorted({key for keys in (*USAGE.values(), *PARTS.values()) for key in keys if "*" not in key})
_SCOPES = ["", *sorted({family.scope for family in FAMILIES})]
_NUMBERS = (
    st.integers(-1, 40) | st.integers(0, 10**12) | st.sampled_from(["7", "", "x", "1e3", None, 2.5, True])
)
_NAMES = st.sampled_from(
    ["input", "output", "total", "input_tokens", "output_tokens", "cache_read_input_tokens"]
) | (
    st.sampled_from(
        ["cache_creation_input_tokens", "prompt_tokens_details", "cached_tokens", "reasoning_tokens"]
    )
)
_OBJECTS = st.dictionaries(_NAMES, _NUMBERS | st.dictionaries(_NAMES, _NUMBERS, max_size=3), max_size=6).map(
    json.dumps
)


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 10)
@given(
    st.dictionaries(st.sampled_from(_KEYS), _NUMBERS | _OBJECTS, max_size=8),
    st.sampled_from(_SCOPES),
    st.sampled_from(["", "openai", "anthropic", "aws.bedrock", "gcp.gemini"]),
    st.sampled_from(["chat", "embeddings", "invoke_agent"]),
)
def test_no_attributes_break_the_contract(
    stated: dict[str, Any], scope: str, provider: str, operation: str
) -> None:
    attributes = {"gen_ai.provider.name": provider, "gen_ai.operation.name": operation, **stated}
    message = ExportTraceServiceRequest.FromString(request(span(attributes)))
    message.resource_spans[0].scope_spans[0].scope.name = scope
    [found] = rows(read(message.SerializeToString()))
    assert found["cache_read_tokens"] + found["cache_write_tokens"] <= found["input_tokens"]
    assert found["reasoning_tokens"] <= found["output_tokens"]
    assert not found["unsplit_tokens"] or not (found["input_tokens"] or found["output_tokens"])


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        # The total decides: Anthropic's cache beside the input, OpenAI's inside.
        (Stated(57, 23, 2000, 0, None, 2080), Usage(2057, 23, 2000, 0)),
        (Stated(2057, 23, 2000, 0, None, 2080), Usage(2057, 23, 2000, 0)),
        # Gemini's thoughts beside the output, its cache inside the input.
        (Stated(64, 26, 10, None, 5, 95), Usage(64, 31, 10, 0, 5)),
        # Both beside; one of the two cache parts beside.
        (Stated(10, 20, 3, 4, 5, 42), Usage(17, 25, 3, 4, 5)),
        (Stated(10, 20, 3, 4, None, 34), Usage(14, 20, 3, 4)),
        # A total that explains nothing, or that can't be: then what can't be inside is added.
        (Stated(10, 20, 3, None, 4, 999), Usage(10, 20, 3, 0, 4)),
        (Stated(10, 20, 30, None, None, 30), Usage(40, 20, 30)),
        # Contradictions without a total.
        (Stated(4299, 631, 35574, 17787, None, None), Usage(57660, 631, 35574, 17787)),
        (Stated(26, 50, None, None, 1544, None), Usage(26, 1594, 0, 0, 1544)),
        # Else inside.
        (Stated(100, 50, 40, 30, 20, None), Usage(100, 50, 40, 30, 20)),
        # A total alone, and a total with one of the two.
        (Stated(None, None, None, None, None, 30), Usage(unsplit=30)),
        (Stated(20, None, None, None, None, 30), Usage(20, 10)),
        (Stated(None, 20, None, None, None, 30), Usage(10, 20)),
        (Stated(20, 5, None, None, None, 30), Usage(20, 5)),
        # Nothing.
        (Stated(None, None, None, None, None, None), Usage()),
        (Stated(0, 0, 0, 0, 0, 0), Usage()),
    ],
)
def test_the_first_statement_that_decides(stated: Stated, expected: Usage) -> None:
    assert usage_of(stated, is_embedding=False) == expected


def test_all_that_an_embedding_uses_is_input() -> None:
    assert usage_of(Stated(None, None, None, None, None, 30), is_embedding=True) == Usage(30)


def test_who_wrote_the_span_decides_before_its_total() -> None:
    # OpenLLMetry's Bedrock, OpenLIT's Anthropic: the total leaves the cache out as well.
    stated = Stated(3000, 100, 2000, None, None, 3100)
    assert usage_of(stated, is_embedding=False, cache_is_beside=True) == Usage(5000, 100, 2000)
    stated = Stated(100, 3000, None, None, 2000, 3100)
    assert usage_of(stated, is_embedding=False, reasoning_is_beside=True) == Usage(100, 5000, 0, 0, 2000)


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("anthropic", "claude-sonnet-4-5", Beside(cache=True)),
        ("aws.bedrock", "amazon.nova-lite-v1:0", Beside(cache=True)),
        ("openai", "gpt-4o-mini", NOTHING_BESIDE),
        # OpenRouter is asked, and its answer counted, as OpenAI is.
        ("openrouter", "anthropic/claude-sonnet-4-5", NOTHING_BESIDE),
        ("gcp.gemini", "gemini-2.5-flash", NOTHING_BESIDE),
    ],
)
def test_pipecat_counts_as_the_provider_that_it_asked(provider: str, model: str, expected: Beside) -> None:
    assert beside("pipecat", provider, model) == expected


def test_a_cache_smaller_than_the_input_beside_which_it_stands_is_added() -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 3000,
        "gen_ai.usage.cache_read.input_tokens": 2000,
    }
    message = ExportTraceServiceRequest.FromString(request(span(attributes)))
    message.resource_spans[0].scope_spans[0].scope.name = "pipecat"
    [found] = rows(read(message.SerializeToString()))
    assert (found["input_tokens"], found["cache_read_tokens"]) == (5000, 2000)


def test_what_geminis_total_has_beyond_both_was_thought() -> None:
    stated = Stated(64, 26, None, None, None, 95)
    assert usage_of(stated, is_embedding=False, rest_is_reasoning=True) == Usage(64, 31, 0, 0, 5)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"input_tokens": 2100, "output_tokens": 30, "cache_read.input_tokens": 2000}, (2600, 230, 2000, 0)),
        ({"total_tokens": 99}, (0, 0, 0, 799)),
    ],
)
def test_what_shortened_the_conversation_is_added(stated: dict[str, int], expected: tuple[int, ...]) -> None:
    """Anthropic's SDK: "The usage above leaves out the tokens of the compactions"."""
    found = row(
        {
            "gen_ai.operation.name": "chat",
            **{f"gen_ai.usage.{name}": count for name, count in stated.items()},
            "anthropic.usage.compaction.input_tokens": 500,
            "anthropic.usage.compaction.output_tokens": 200,
        }
    )
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "unsplit_tokens")
    assert tuple(found[name] for name in names) == expected
