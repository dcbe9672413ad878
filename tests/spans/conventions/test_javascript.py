"""What SDKs for JavaScript say in words of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.spans.reading.otlp_examples import row

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


@pytest.mark.parametrize(
    "details",
    [
        {"cache_read": 20, "cache_creation": 10},
        # LangSmith for JavaScript spells the hour so and gives no sum; LangChain gives 0 as the sum.
        {"cache_read": 20, "ephemeral_5m_input_tokens": 4, "ephemeral_1hr_input_tokens": 6},
        {"cache_read": 20, "cache_creation": 0, "ephemeral_5m_input_tokens": 10},
    ],
)
@pytest.mark.parametrize("key", ["gen_ai.usage.input_token_details", "langsmith.usage_metadata"])
def test_what_langsmith_says_was_written_to_the_cache(details: dict[str, int], key: str) -> None:
    usage = details if key.endswith("details") else {"input_token_details": details}
    found = row({"gen_ai.usage.input_tokens": 50, key: json.dumps(usage)})
    assert (found["cache_read_tokens"], found["cache_write_tokens"]) == (20, 10)


def test_genkit_tells_of_a_call_by_its_action() -> None:
    usage = {
        "inputTokens": 57,
        "outputTokens": 23,
        "thoughtsTokens": 5,
        "totalTokens": 85,
        "cachedContentTokens": 10,
    }
    answer = {"role": "model", "content": [{"text": "4 pm"}]}
    found = row(
        {
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:key": "/model/googleai/gemini-2.5-flash",
            "genkit:output": json.dumps({"candidates": [{"message": answer}], "usage": usage}),
        }
    )
    assert (found["span_type"], found["model"], found["provider"]) == ("LLM", "gemini-2.5-flash", "googleai")
    assert tuple(found[column] for column in TOKENS) == (57, 28, 10, 0, 5)
    assert found["total_cost"] > 0


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        (
            {"genkit:type": "action", "genkit:metadata:subtype": "agent", "genkit:key": "/agent/concierge"},
            "AGENT",
        ),
        (
            {"genkit:type": "action", "genkit:metadata:subtype": "tool", "genkit:key": "/tool/get_weather"},
            "TOOL",
        ),
        ({"genkit:type": "util", "genkit:name": "generate"}, "CHAIN"),
    ],
)
def test_other_spans_of_genkit_have_no_model(attributes: dict[str, Any], kind: str) -> None:
    found = row(attributes | {"genkit:metadata:agent:sessionId": "chat-1"})
    assert (found["span_type"], found["model"], found["session_id"]) == (kind, "", "chat-1")


@pytest.mark.parametrize("prefix", ["", "llm."])
def test_voltagent_counts_alike_on_calls_and_agents(prefix: str) -> None:
    usage = {
        "prompt_tokens": 57,
        "completion_tokens": 23,
        "total_tokens": 80,
        "cached_tokens": 10,
        "reasoning_tokens": 4,
    }
    estimate = {"usage.prompt_context.total_tokens_estimated": 79}
    found = row({f"{prefix}usage.{name}": count for name, count in usage.items()} | estimate)
    assert tuple(found[column] for column in TOKENS) == (57, 23, 10, 0, 4)


@pytest.mark.parametrize(
    ("attributes", "kind", "model"),
    [
        ({"ai.model.name": "gpt-4o-mini"}, "AGENT", "gpt-4o-mini"),
        ({"span.type": "llm", "llm.model": "gpt-4o-mini"}, "LLM", "gpt-4o-mini"),
        ({"span.type": "tool"}, "TOOL", ""),
        ({"span.type": "memory"}, "CHAIN", ""),
    ],
)
def test_spans_of_voltagent_name_the_agent_they_belong_to(
    attributes: dict[str, Any], kind: str, model: str
) -> None:
    found = row({"entity.type": "agent", "conversation.id": "chat-1", "user.id": "ada"} | attributes)
    assert (found["span_type"], found["model"]) == (kind, model)
    assert (found["session_id"], found["user_id"]) == ("chat-1", "ada")


@pytest.mark.parametrize(
    "inclusive",
    [
        {},
        # Claude Code 2.1.332 also states OpenTelemetry's names, in which the cache is part of the input.
        {
            "gen_ai.usage.input_tokens": 187,
            "gen_ai.usage.output_tokens": 23,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "gen_ai.usage.cache_write.input_tokens": 100,
        },
    ],
)
def test_claude_code_counts_the_cache_beside_the_input_under_its_own_names(inclusive: dict[str, int]) -> None:
    own = {"input_tokens": 57, "output_tokens": 23, "cache_read_tokens": 30, "cache_creation_tokens": 100}
    found = row(own | inclusive | {"span.type": "llm_request"})
    assert tuple(found[column] for column in TOKENS) == (187, 23, 30, 100, 0)


def test_claude_code_counts_a_small_cache_beside_the_input_too() -> None:
    own = {"input_tokens": 3550, "output_tokens": 20, "cache_read_tokens": 248, "cache_creation_tokens": 25}
    found = row(own | {"span.type": "llm_request"})
    assert tuple(found[column] for column in TOKENS) == (3823, 20, 248, 25, 0)
