"""Every key of every convention says what conventions.md says it does, and in its order."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.precedence import PRECEDENCE as PLACES
from spanloom.spans.conventions.precedence.identity import SESSION_KEYS as NUMBERED_SESSION_KEYS
from spanloom.spans.conventions.precedence.identity import USER_KEYS as NUMBERED_USER_KEYS
from spanloom.spans.conventions.registry import CONVENTIONS, Rules
from spanloom.spans.conventions.vocabulary import BUILT_IN
from spanloom.spans.table import INPUT_IS_TEXT, OUTPUT_IS_TEXT, SPAN_TYPES
from tests.spans.reading.otlp_examples import event, read, request, row, row_of, rows, span

SESSION_KEYS = [
    "lmnr.association.properties.session_id",
    "langfuse.session.id",
    "session.id",
    "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.session_id",
    "traceloop.association.properties.session_id",
    "ai.settings.context.sessionId",
    "ai.settings.context.session_id",
    "gen_ai.conversation.id",
]
USER_KEYS = [
    "lmnr.association.properties.user_id",
    "langfuse.user.id",
    "user.id",
    "ai.telemetry.metadata.userId",
    "ai.telemetry.metadata.user_id",
    "traceloop.association.properties.user_id",
    "ai.settings.context.userId",
    "ai.settings.context.user_id",
    "enduser.id",
    "llm.user",
]
MODEL_KEYS = [
    "gen_ai.response.model",
    "ai.response.model",
    "langfuse.observation.model.name",
    "llm.model_name",
    "gen_ai.request.model",
    "ai.model.id",
    "embedding.model_name",
]
PROVIDER_KEYS = ["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"]
TOKEN_KEYS = {
    "input_tokens": [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
    ],
    "output_tokens": [
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ],
    "cache_read_tokens": [
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
    ],
    "cache_write_tokens": [
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ],
    "reasoning_tokens": [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.reasoningTokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
    ],
}
INPUT_KEYS = [
    "gen_ai.input.messages",
    "ai.prompt.messages",
    "ai.prompt",
    "langfuse.observation.input",
    "llm.input_messages.0.message.content",
    "gen_ai.prompt.0.content",
    "lmnr.span.input",
    "traceloop.entity.input",
    "input.value",
]
OUTPUT_KEYS = [
    "gen_ai.output.messages",
    "ai.response.text",
    "ai.response.object",
    "langfuse.observation.output",
    "llm.output_messages.0.message.content",
    "gen_ai.completion.0.content",
    "lmnr.span.output",
    "traceloop.entity.output",
    "output.value",
]
PRECEDENCE = {
    "session_id": SESSION_KEYS,
    "user_id": USER_KEYS,
    "model": MODEL_KEYS,
    "provider": PROVIDER_KEYS,
}


@pytest.mark.parametrize(
    ("column", "keys"),
    [(column, keys[i:]) for column, keys in PRECEDENCE.items() for i in range(len(keys))],
)
def test_precedence_of_texts(column: str, keys: list[str]) -> None:
    found = row({key: key.replace(".", "-") for key in reversed(keys)})
    assert found[column] == keys[0].replace(".", "-")
    if column in ("session_id", "user_id"):
        numbers = {key.name: key.number for key in (*NUMBERED_SESSION_KEYS, *NUMBERED_USER_KEYS)}
        assert found[column.replace("_id", "_key")] == numbers[keys[0]]


@pytest.mark.parametrize("column", PRECEDENCE)
def test_an_empty_text_is_absent(column: str) -> None:
    first, second, *_ = PRECEDENCE[column]
    assert row({first: "", second: "x"})[column] == "x"


def test_nobody_named() -> None:
    found = row({"other": "x"})
    assert (found["session_id"], found["session_key"], found["user_id"], found["user_key"]) == (
        "",
        0,
        "",
        0,
    )


@pytest.mark.parametrize(
    ("column", "keys"),
    [(column, keys[i:]) for column, keys in TOKEN_KEYS.items() for i in range(len(keys))],
)
def test_precedence_of_tokens(column: str, keys: list[str]) -> None:
    assert row({key: 7 + i for i, key in enumerate(keys)})[column] == 7


@pytest.mark.parametrize(
    ("value", "count"), [(5, 5), (5.0, 5), ("5", 5), ("5.0", 5), (0, 0), (10**12, 10**12)]
)
def test_numbers_come_in_several_types(value: Any, count: int) -> None:
    assert row({"gen_ai.usage.input_tokens": value, "gen_ai.usage.prompt_tokens": 9})["input_tokens"] == count


@pytest.mark.parametrize(
    "value",
    [-1, math.nan, math.inf, "", "many", True, 10**12 + 1, 2**63 - 1, "9" * 5000, [5], {"a": 1}, None, b"5"],
)
def test_an_invalid_count_is_absent(value: Any) -> None:
    assert row({"gen_ai.usage.input_tokens": value, "gen_ai.usage.prompt_tokens": 9})["input_tokens"] == 9


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"input": 10, "output": 5}, (10, 5, 0, 0, 0)),
        ({"input": 10, "input_cached_tokens": 4, "output": 5, "output_reasoning": 2}, (14, 7, 4, 0, 2)),
        ({"input": 10, "input_cache_read": 3, "input_cache_creation": 2, "output": 1}, (15, 1, 3, 2, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, (10, 5, 0, 0, 0)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            (10, 5, 4, 0, 3),
        ),
        ({"input": "10", "output": -1}, (10, 0, 0, 0, 0)),
        ({"input": None, "output": [1]}, (0, 0, 0, 0, 0)),
    ],
)
def test_usage_details_of_langfuse(usage: dict[str, Any], counts: tuple[int, ...]) -> None:
    found = row({"langfuse.observation.usage_details": json.dumps(usage)})
    assert tuple(found[column] for column in TOKEN_KEYS) == counts


# What the SDKs for JavaScript write that those for Python don't, by their sources.
JAVASCRIPT = [
    # @langfuse/openai 5.11.1: parseUsageDetails makes the parts disjoint.
    (
        {
            "langfuse.observation.usage_details": json.dumps(
                {
                    "input": 60,
                    "output": 30,
                    "total": 100,
                    "input_cached_tokens": 4,
                    "input_audio_tokens": 1,
                    "output_reasoning_tokens": 3,
                    "output_audio_tokens": 2,
                }
            )
        },
        {"input_tokens": 65, "output_tokens": 35, "cache_read_tokens": 4, "reasoning_tokens": 3},
    ),
    # openinference-instrumentation-beeai 0.1.30: a call, a piece of its stream, a user's metadata of the same name.
    (
        {
            "openinference.span.kind": "LLM",
            "llm.token_count.prompt": 92,
            "llm.token_count.completion": 38,
            "metadata.usage.cached_prompt_tokens": "10",
            "metadata.usage.cached_creation_tokens": "3",
        },
        {"span_type": "LLM", "input_tokens": 92, "cache_read_tokens": 10, "cache_write_tokens": 3},
    ),
    (
        {"openinference.span.kind": "LLM", "metadata.path": "backend.openai.chat.new_token"},
        {"span_type": "DEFAULT"},
    ),
    ({"openinference.span.kind": "LLM", "metadata.path": "/shop/chat"}, {"span_type": "LLM"}),
    # ai 6.0.326: embed.ts and embed-many.ts, the call and the function around it.
    (
        {"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "m", "ai.usage.tokens": 92},
        {"span_type": "EMBEDDING", "input_tokens": 92, "output_tokens": 0},
    ),
    ({"ai.operationId": "ai.embed", "ai.usage.tokens": 92}, {"span_type": "CHAIN", "input_tokens": 92}),
    # ai 6.0.326: generate-object.ts has the names of version 4, stream-object.ts those of version 5.
    (
        {"ai.usage.promptTokens": 78, "ai.usage.completionTokens": 32, "ai.response.object": '{"a":1}'},
        {"input_tokens": 78, "output_tokens": 32, "output": '{"a":1}'},
    ),
    # @ai-sdk/otel 1.0.173: supplemental-attributes.ts and open-telemetry.ts.
    (
        {
            "gen_ai.operation.name": "agent_step",
            "ai.settings.context.sessionId": "s",
            "ai.settings.context.userId": "u",
            "ai.settings.context.tags": ["b", "a"],
            "ai.settings.context.tier": "gold",
        },
        {
            "span_type": "CHAIN",
            "session_id": "s",
            "user_id": "u",
            "tags": ["a", "b"],
            "metadata": {"tier": "gold"},
        },
    ),
    ({"gen_ai.operation.name": "rerank"}, {"span_type": "RERANKER"}),
]


@pytest.mark.parametrize(("attributes", "found"), JAVASCRIPT, ids=str)
def test_sdks_for_javascript(attributes: dict[str, Any], found: dict[str, Any]) -> None:
    assert row(attributes).items() >= found.items()


# A status that the span itself doesn't show: of @langfuse/openai 5.11.1 (traceMethod.ts) and of ai 6.0.326
# (stream-text.ts, the chunk `error`).
STATUSES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"langfuse.observation.level": "ERROR"}, ("error", "")),
    (
        {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "Error: 500"},
        ("error", "Error: 500"),
    ),
    ({"langfuse.observation.level": "WARNING", "langfuse.observation.status_message": "slow"}, ("unset", "")),
    ({"langfuse.observation.level": "DEFAULT"}, ("unset", "")),
    ({"ai.response.finishReason": "error"}, ("error", "")),
    ({"ai.response.finishReason": "stop"}, ("unset", "")),
    ({"langfuse.observation.level": "DEFAULT", "ai.response.finishReason": "error"}, ("error", "")),
]


@pytest.mark.parametrize(("attributes", "status"), STATUSES, ids=str)
def test_an_error_may_stand_in_an_attribute(attributes: dict[str, Any], status: tuple[str, str]) -> None:
    found = row(attributes)
    assert (found["status"], found["status_message"]) == status


def test_the_message_of_the_status_comes_first() -> None:
    attributes = {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no"}
    found = row(attributes, status=Status(code=Status.STATUS_CODE_ERROR, message="yes"))
    assert (found["status"], found["status_message"]) == ("error", "yes")


@pytest.mark.parametrize("text", ["", "[", "[1]", "5", '{"input":', "null"])
def test_usage_details_that_are_none(text: str) -> None:
    assert row({"langfuse.observation.usage_details": text})["input_tokens"] == 0


COST_KEYS = {
    # opentelemetry-semantic-conventions-ai 0.4, openinference-semantic-conventions 0.1, langfuse 5, pydantic-ai 2,
    # litellm 1.110.2 (all PyPI)
    "input_cost": [
        "gen_ai.usage.input_cost",
        "llm.cost.prompt",
        "langfuse.observation.cost_details",
        "gen_ai.cost.input_cost",
        "litellm.cost.input",
    ],
    "output_cost": [
        "gen_ai.usage.output_cost",
        "llm.cost.completion",
        "langfuse.observation.cost_details",
        "gen_ai.cost.output_cost",
        "litellm.cost.output",
    ],
    "total_cost": [
        "gen_ai.usage.cost",
        "llm.cost.total",
        "langfuse.observation.cost_details",
        "operation.cost",
        "gen_ai.cost.total_cost",
        "litellm.cost.total",
    ],
}


@pytest.mark.parametrize(
    ("column", "keys"),
    [(column, keys[i:]) for column, keys in COST_KEYS.items() for i in range(len(keys))],
)
def test_precedence_of_costs(column: str, keys: list[str]) -> None:
    def given(key: str, dollars: float) -> object:
        member = column.removesuffix("_cost")
        return json.dumps({member: dollars}) if key.endswith("cost_details") else dollars

    found = row({key: given(key, 0.25 + i) for i, key in enumerate(keys)})
    assert (found[column], found["priced"]) == (0.25, 1)


def test_litellm_prices_what_it_knows_and_leaves_out_the_rest() -> None:
    call = {
        "llm.request.type": "acompletion",
        "gen_ai.request.model": "my-own-model",
        "gen_ai.system": "openai",
    }
    usage = {"gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 23}
    assert row(call | usage)["priced"] == 0
    found = row(
        call
        | usage
        | {
            "gen_ai.cost.total_cost": 2.235e-05,
            "gen_ai.cost.input_cost": 8.55e-06,
            "gen_ai.cost.output_cost": 1.38e-05,
            "gen_ai.cost.original_cost": 1.0,
            "gen_ai.cost.margin_total_amount": 1.0,
        }
    )
    costs = (found["input_cost"], found["output_cost"], found["total_cost"])
    assert (*costs, found["priced"]) == (8.55e-06, 1.38e-05, 2.235e-05, 1)


RAW_CALL = {
    "llm.openai.model": "gpt-4o-mini",
    "llm.openai.object": "chat.completion",
    "llm.openai.messages": str([{"role": "user", "content": 'it\'s "so"\n\u200d'}]),
    "llm.openai.choices": str([{"finish_reason": "stop", "message": {"role": None, "content": "it's 'so'"}}]),
    "llm.openai.usage": str({"completion_tokens": 23, "prompt_tokens": 57, "total_tokens": 80}),
}


def test_litellm_says_what_the_provider_was_asked_and_answered() -> None:
    found = row(RAW_CALL)
    names = ("span_type", "model", "provider", "input_tokens", "output_tokens", "priced")
    assert [found[name] for name in names] == ["LLM", "gpt-4o-mini", "openai", 57, 23, 1]
    assert (found["input_preview"], found["output_preview"]) == ('it\'s "so"\n\u200d', "it's 'so'")
    assert json.loads(found["input"]) == [{"role": "user", "content": 'it\'s "so"\n\u200d'}]
    assert found["attributes"] == RAW_CALL


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 30,
                "prompt_tokens_details": {"cached_tokens": 40},
                "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": None},
            },
            (100, 30, 40, 0, 20),
        ),
        (
            {
                "input_tokens": 100,
                "output_tokens": 30,
                "input_tokens_details": {"cached_tokens": 40},
                "output_tokens_details": {"reasoning_tokens": 20},
            },
            (100, 30, 40, 0, 20),
        ),
        # Anthropic's Messages: what was cached is apart.
        (
            {
                "input_tokens": 10,
                "output_tokens": 30,
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 50,
                "service_tier": "standard",
            },
            (100, 30, 40, 50, 0),
        ),
        ({"prompt_tokens": -5, "completion_tokens": True, "prompt_tokens_details": None}, (0, 0, 0, 0, 0)),
    ],
)
def test_litellm_writes_usage_as_python_does(usage: dict[str, Any], counts: tuple[int, ...]) -> None:
    found = row({"llm.anthropic.usage": str(usage)})
    assert tuple(found[column] for column in TOKEN_KEYS) == counts


@pytest.mark.parametrize(
    ("attributes", "given", "answered"),
    [
        # OpenAI's Responses, Anthropic's Messages, embeddings.
        (
            {
                "input": "hello",
                "output": str([{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]),
            },
            "hello",
            "hi",
        ),
        (
            {
                "messages": str([{"role": "user", "content": [{"type": "text", "text": "hello"}]}]),
                "content": str([{"type": "text", "text": "hi"}]),
            },
            "hello",
            "hi",
        ),
    ],
)
def test_litellm_passes_on_what_providers_call_things(
    attributes: dict[str, str], given: str, answered: str
) -> None:
    usage = {"usage": "{'input_tokens': 5, 'output_tokens': 5}"}
    found = row({f"llm.anthropic.{name}": text for name, text in (attributes | usage).items()})
    assert (found["span_type"], found["input_preview"], found["output_preview"]) == ("LLM", given, answered)


@pytest.mark.parametrize("word", ["None", "Unknown"])
def test_litellm_knows_no_provider(word: str) -> None:
    assert row({f"llm.{word}.usage": "{'prompt_tokens': 5}"})["provider"] == ""


def test_sums_of_wrappers_are_not_read() -> None:
    found = row(
        {"gen_ai.aggregated_usage.input_tokens": 5, "logfire.metrics": '{"gen_ai.client.token.usage": 1}'}
    )
    assert found["input_tokens"] == 0


TYPES = [
    ({"lmnr.span.type": "LLM"}, "LLM"),
    ({"lmnr.span.type": "TOOL"}, "TOOL"),
    ({"lmnr.span.type": "DEFAULT", "gen_ai.operation.name": "chat"}, "DEFAULT"),
    ({"lmnr.span.type": "nonsense", "gen_ai.operation.name": "chat"}, "LLM"),
    *(({"openinference.span.kind": kind}, kind) for kind in SPAN_TYPES if kind != "DEFAULT"),
    # lmnr 0.8.2 (PyPI): opentelemetry_lib/opentelemetry/instrumentation/openai/shared/embeddings_wrappers.py
    ({"lmnr.span.path": ["turn", "openai.embeddings"], "lmnr.span.type": "LLM"}, "EMBEDDING"),
    ({"lmnr.span.path": ["turn", "cohere.embed"], "lmnr.span.type": "LLM"}, "EMBEDDING"),
    ({"lmnr.span.path": ["turn", "cohere.rerank"], "lmnr.span.type": "LLM"}, "RERANKER"),
    ({"lmnr.span.path": ["openai.embeddings", "inner"], "lmnr.span.type": "TOOL"}, "TOOL"),
    ({"lmnr.span.path": ["turn", "my openai.embeddings"], "lmnr.span.type": "DEFAULT"}, "DEFAULT"),
    ({"lmnr.span.path": [], "lmnr.span.type": "LLM"}, "LLM"),
    ({"openinference.span.kind": "llm"}, "LLM"),
    ({"openinference.span.kind": "UNKNOWN"}, "DEFAULT"),
    ({"openinference.span.kind": "CHAIN", "llm.input_messages.0.message.role": "user"}, "CHAIN"),
    ({"langfuse.observation.type": "generation"}, "LLM"),
    ({"langfuse.observation.type": "span"}, "DEFAULT"),
    ({"langfuse.observation.type": "retriever"}, "RETRIEVER"),
    *(({"gen_ai.operation.name": name}, "LLM") for name in ("chat", "text_completion", "generate_content")),
    ({"gen_ai.operation.name": "embeddings"}, "EMBEDDING"),
    ({"gen_ai.operation.name": "execute_tool"}, "TOOL"),
    # opentelemetry-semantic-conventions 0.66b2 (PyPI): GenAiOperationNameValues
    ({"gen_ai.operation.name": "retrieval"}, "RETRIEVER"),
    ({"gen_ai.operation.name": "invoke_workflow"}, "CHAIN"),
    ({"gen_ai.operation.name": "invoke_agent"}, "AGENT"),
    ({"gen_ai.operation.name": "create_agent"}, "AGENT"),
    ({"traceloop.span.kind": "workflow"}, "CHAIN"),
    ({"traceloop.span.kind": "task"}, "CHAIN"),
    ({"traceloop.span.kind": "agent"}, "AGENT"),
    ({"traceloop.span.kind": "tool"}, "TOOL"),
    ({"ai.operationId": "ai.generateText.doGenerate"}, "LLM"),
    ({"ai.operationId": "ai.streamObject.doStream"}, "LLM"),
    ({"ai.operationId": "ai.toolCall"}, "TOOL"),
    ({"ai.operationId": "ai.embedMany.doEmbed"}, "EMBEDDING"),
    ({"ai.operationId": "ai.embed"}, "CHAIN"),
    ({"ai.operationId": "ai.generateText"}, "CHAIN"),
    ({"ai.operationId": "ai.generateText", "ai.model.id": "m", "ai.usage.inputTokens": 5}, "CHAIN"),
    ({"llm.request.type": "chat"}, "LLM"),
    ({"llm.request.type": "completion"}, "LLM"),
    ({"llm.request.type": "embedding"}, "EMBEDDING"),
    ({"llm.request.type": "rerank"}, "RERANKER"),
    # litellm 1.110.2 (PyPI): litellm/types/utils.py, CallTypes
    ({"llm.request.type": "acompletion", "gen_ai.operation.name": "acompletion"}, "LLM"),
    ({"llm.request.type": "atext_completion"}, "LLM"),
    ({"llm.request.type": "aresponses"}, "LLM"),
    ({"llm.request.type": "anthropic_messages"}, "LLM"),
    (
        {"llm.request.type": "aembedding", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5},
        "EMBEDDING",
    ),
    ({"llm.request.type": "arerank"}, "RERANKER"),
    # litellm 1.110.2 (PyPI): litellm/integrations/opentelemetry.py, set_raw_request_attributes
    ({"llm.openai.object": "chat.completion", "llm.openai.usage": "{'prompt_tokens': 5}"}, "LLM"),
    ({"llm.openai.object": "response", "llm.openai.usage": "{'input_tokens': 5}"}, "LLM"),
    (
        {"llm.None.object": "list", "llm.None.usage": "{'prompt_tokens': 5, 'completion_tokens': 0}"},
        "EMBEDDING",
    ),
    ({"llm.mistral.usage": "{'prompt_tokens': 5, 'completion_tokens': 2}"}, "LLM"),
    ({"llm.None.usage": "{'prompt_tokens': 5}"}, "EMBEDDING"),
    # A child without usage is no call: its parent is.
    ({"llm.openai.object": "chat.completion", "llm.openai.model": "m"}, "DEFAULT"),
    ({"llm.openai.model": "m", "llm.openai.messages": "[]", "llm.openai.stream": True}, "DEFAULT"),
    ({"llm.openai.object": "list", "llm.openai.usage": "{}"}, "DEFAULT"),
    ({"llm.bedrock.usage": "{'inputTokens': 5}", "llm.bedrock.model": "m"}, "LLM"),
    ({"openinference.span.kind": "AGENT", "llm.openai.usage": "{'prompt_tokens': 5}"}, "AGENT"),
    ({"gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 5}, "LLM"),
    ({"gen_ai.request.model": "m"}, "DEFAULT"),
    ({"gen_ai.usage.output_tokens": 5}, "DEFAULT"),
    ({}, "DEFAULT"),
]


@pytest.mark.parametrize(("attributes", "span_type"), TYPES, ids=str)
def test_span_type(attributes: dict[str, Any], span_type: str) -> None:
    assert row(attributes)["span_type"] == span_type


TYPE_KEYS = [
    ("lmnr.span.type", "TOOL"),
    ("openinference.span.kind", "AGENT"),
    ("langfuse.observation.type", "generation"),
    ("gen_ai.operation.name", "embeddings"),
    ("traceloop.span.kind", "workflow"),
    ("ai.operationId", "ai.toolCall"),
    ("llm.request.type", "rerank"),
]


@pytest.mark.parametrize("best", range(len(TYPE_KEYS)))
def test_precedence_of_span_types(best: int) -> None:
    assert row(dict(TYPE_KEYS[best:]))["span_type"] == row(dict([TYPE_KEYS[best]]))["span_type"]


def test_provider_of_the_ai_sdk_ends_at_the_first_dot() -> None:
    assert row({"ai.model.provider": "openai.chat"})["provider"] == "openai"
    assert row({"gen_ai.system": "aws.bedrock", "ai.model.provider": "x.y"})["provider"] == "aws.bedrock"


class TestLabels:
    def test_tags_are_a_union(self) -> None:
        found = row(
            {
                "lmnr.association.properties.tags": ["b", "a"],
                "langfuse.trace.tags": '["c", "a"]',
                "tag.tags": ["d", 1, ""],
                "ai.telemetry.metadata.tags": "single",
                "other.tags": ["no"],
            }
        )
        assert found["tags"] == ["1", "a", "b", "c", "d", "single"]

    def test_tags_that_are_no_json_are_one_tag(self) -> None:
        assert row({"tag.tags": "[broken"})["tags"] == ["[broken"]
        assert row({"tag.tags": ""})["tags"] == []

    def test_metadata_is_merged_and_the_better_key_wins(self) -> None:
        found = row(
            {
                "traceloop.association.properties.plan": "worst",
                "ai.telemetry.metadata.plan": "worse",
                "metadata": '{"plan": "bad", "tier": "gold", "n": 1, "deep": {"a": [1]}}',
                "langfuse.trace.metadata": '{"plan": "good", "region": "eu"}',
                "langfuse.trace.metadata.channel": "web",
                "lmnr.association.properties.metadata.plan": "best",
            }
        )
        assert found["metadata"] == {
            "channel": "web",
            "deep": '{"a":[1]}',
            "n": "1",
            "plan": "best",
            "region": "eu",
            "tier": "gold",
        }

    @pytest.mark.parametrize(
        ("value", "read"),
        # langfuse 5.0.4 (PyPI): langfuse/_client/attributes.py, _serialize_metadata_value; earlier ones wrote the text
        [
            ('"gold"', "gold"),
            ("gold", "gold"),
            ("5", "5"),
            ('{"a":1}', '{"a":1}'),
            ('"', '"'),
            ('"a" b', '"a" b'),
        ],
    )
    def test_langfuse_writes_metadata_as_json(self, value: str, read: str) -> None:
        assert row({"langfuse.trace.metadata.plan": value})["metadata"] == {"plan": read}

    @pytest.mark.parametrize(
        "key", [key for key in SESSION_KEYS + USER_KEYS if key.startswith(("ai.", "trace"))]
    )
    def test_what_is_a_field_is_no_metadata(self, key: str) -> None:
        assert row({key: "x", "ai.telemetry.metadata.tags": ["t"]})["metadata"] == {}

    @pytest.mark.parametrize("text", ["", "no json", "[1]", "5", "{"])
    def test_metadata_that_is_no_object(self, text: str) -> None:
        assert row({"metadata": text})["metadata"] == {}

    def test_labels_are_limited(self) -> None:
        found = row({"metadata": {f"k{i}": i for i in range(200)}, "tag.tags": [str(i) for i in range(200)]})
        assert (len(found["metadata"]), len(found["tags"])) == (64, 64)


@pytest.mark.parametrize(
    "keys", [INPUT_KEYS[i:] for i in range(len(INPUT_KEYS))], ids=lambda keys: str(keys[0])
)
def test_precedence_of_input(keys: list[str]) -> None:
    found = row({key: f"from {key}" for key in reversed(keys)})
    assert f"from {keys[0]}" in found["input"]


@pytest.mark.parametrize(
    "keys", [OUTPUT_KEYS[i:] for i in range(len(OUTPUT_KEYS))], ids=lambda keys: str(keys[0])
)
def test_precedence_of_output(keys: list[str]) -> None:
    found = row({key: f"from {key}" for key in reversed(keys)})
    assert f"from {keys[0]}" in found["output"]


@pytest.mark.parametrize(
    "prefix", ["gen_ai.tool.call.arguments gen_ai.tool.call.result", "ai.toolCall.args ai.toolCall.result"]
)
def test_tool_calls(prefix: str) -> None:
    given, returned = prefix.split()
    tool = {given: '{"city":"Berlin"}', returned: "21C", "input.value": "i", "output.value": "o"}
    found = row({"openinference.span.kind": "TOOL"} | tool)
    assert (found["input"], found["output"]) == ('{"city":"Berlin"}', "21C")
    found = row(tool)
    assert (found["input"], found["output"]) == ("i", "o")


LLM_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": '[{"role":"user","content":"hi"}]',
    "gen_ai.output.messages": '[{"role":"assistant","content":"hello"}]',
}


class TestPreviews:
    def test_llm_spans_show_what_was_said(self) -> None:
        found = row(LLM_CALL, parent_span_id=b"parent!!")
        assert (found["input_preview"], found["output_preview"], found["marks"]) == ("hi", "hello", 3)
        assert found["input"] == LLM_CALL["gen_ai.input.messages"]

    def test_the_outermost_span_of_a_message_shows_what_it_recorded(self) -> None:
        found = row({"input.value": "i", "output.value": "o" * 5000}, parent_span_id=b"parent!!")
        assert (found["input_preview"], found["output_preview"]) == ("i", "o" * 4096)
        assert found["marks"] == INPUT_IS_TEXT | OUTPUT_IS_TEXT

    def test_a_tool_shows_what_it_recorded_where_nothing_around_it_does(self) -> None:
        tool = {"openinference.span.kind": "TOOL", "input.value": "i", "output.value": "o"}
        inner = span(tool, span_id=b"inside!!", parent_span_id=b"tooltool")
        given = span(tool, span_id=b"tooltool", parent_span_id=b"outside!")
        chain = span({"input.value": "i"}, span_id=b"inchain!", parent_span_id=b"tooltool")
        bare, recorder = span({}, span_id=b"outside!"), span({"input.value": "x"}, span_id=b"outside!")

        def shown(*spans: Span) -> dict[str, tuple[str, str]]:
            return {
                found["span_id"]: (found["input_preview"], found["output_preview"])
                for found in read(request(*spans)).table.to_pylist()
            }

        assert shown(bare, given, inner, chain) == {
            b"outside!".hex(): ("", ""),
            b"tooltool".hex(): ("i", "o"),
            b"inside!!".hex(): ("", ""),
            b"inchain!".hex(): ("i", ""),
        }
        assert shown(recorder, given)[b"tooltool".hex()] == ("", "")

    def test_a_span_inside_of_one_that_recorded_shows_nothing(self) -> None:
        recorded = {"input.value": "i", "output.value": "o"}
        inner = span(recorded, span_id=b"inside!!", parent_span_id=b"between!")
        between = span({}, span_id=b"between!", parent_span_id=b"outside!")
        outer = span(recorded, span_id=b"outside!", parent_span_id=b"parent!!")
        shown = {
            found["span_id"]: found["input_preview"] for found in rows(read(request(inner, between, outer)))
        }
        assert shown == {b"inside!!".hex(): "", b"between!".hex(): "", b"outside!".hex(): "i"}

    def test_a_prompt_of_a_system_alone_is_text(self) -> None:
        prompt = '[{"role":"system","parts":[{"type":"text","content":"Summarize"}]}]'
        found = row({"gen_ai.operation.name": "chat", "gen_ai.input.messages": prompt})
        assert (found["input_preview"], found["marks"]) == ("Summarize", INPUT_IS_TEXT)

    def test_an_llm_root_without_a_user_shows_its_raw_input(self) -> None:
        found = row({"gen_ai.operation.name": "chat", "input.value": '{"x":1}', "output.value": '{"y":2}'})
        assert (found["input_preview"], found["output_preview"], found["marks"]) == (
            '{"x":1}',
            '{"y":2}',
            0,
        )

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("hi", "hi"),
            ('"hi"', "hi"),
            ("[hi", "[hi"),
            ("42", "42"),
            ('"\\ud800"', "\ufffd"),
            ('[{"role":"user","content":"hi"}]', "hi"),
        ],
    )
    def test_a_bare_prompt_of_langfuse_is_what_the_user_said(self, text: str, shown: str) -> None:
        # @langfuse/openai 5.11.1: parseInputArgs takes `input` and `prompt` as they are.
        call = {"langfuse.observation.type": "generation", "langfuse.observation.input": text}
        found = row(call, parent_span_id=b"parent!!")
        assert (found["input_preview"], found["marks"], found["input"]) == (shown, 1, text)

    @pytest.mark.parametrize("text", ['{"args":["hi"],"kwargs":{}}', "[1]", ""])
    def test_other_inputs_of_langfuse_are_not(self, text: str) -> None:
        call = {"langfuse.observation.type": "generation", "langfuse.observation.input": text}
        found = row(call, parent_span_id=b"parent!!")
        assert (found["input_preview"], found["marks"]) == (text, 0)

    def test_a_bare_text_under_another_key_is_not(self) -> None:
        found = row({"openinference.span.kind": "LLM", "input.value": "hi"}, parent_span_id=b"parent!!")
        assert (found["input_preview"], found["marks"]) == ("hi", INPUT_IS_TEXT)

    def test_previews_are_cut(self) -> None:
        text = json.dumps([{"role": "user", "content": "é" * 5000}])
        assert row(LLM_CALL | {"gen_ai.input.messages": text})["input_preview"] == "é" * 4096

    def test_events_where_attributes_say_nothing(self) -> None:
        events = [
            event("gen_ai.system.message", {"content": "Be nice"}),
            event("gen_ai.user.message", {"content": "hi"}),
            event("gen_ai.choice", {"index": 0, "message": '{"role":"assistant","content":"hello"}'}),
        ]
        found = row_of(span({"gen_ai.operation.name": "chat"}, events=events))
        assert (found["input_preview"], found["output_preview"], found["marks"]) == ("hi", "hello", 3)
        assert json.loads(found["input"])[0] == {"role": "system", "content": "Be nice"}
        found = row_of(
            span(LLM_CALL | {"gen_ai.input.messages": '[{"role":"user","content":"no"}]'}, events=events)
        )
        assert found["input_preview"] == "no"


class TestRegistry:
    def test_every_convention_names_its_source(self) -> None:
        assert all(convention.source for convention in CONVENTIONS)

    def test_a_key_without_a_place_is_refused(self) -> None:
        acme = Convention("Acme", "y", (Key("acme.model", Field.MODEL),))
        with pytest.raises(ValueError, match=r"acme\.model has no place among the keys of MODEL"):
            Rules([*CONVENTIONS, acme], PLACES)

    def test_a_key_with_two_places_is_refused(self) -> None:
        twice = {**PLACES, Field.MODEL: (*PLACES[Field.MODEL], "ai.model.id")}
        with pytest.raises(ValueError, match=r"ai\.model\.id has several places among the keys of MODEL"):
            Rules(CONVENTIONS, twice)

    def test_a_place_without_a_key_is_refused(self) -> None:
        misspelt = {**PLACES, Field.MODEL: (*PLACES[Field.MODEL], "acme.modle")}
        with pytest.raises(ValueError, match=r"lists acme\.modle for MODEL, which no convention declares"):
            Rules(CONVENTIONS, misspelt)

    def test_a_new_key_moves_no_other(self) -> None:
        acme = Convention("Acme", "y", (Key("acme.model", Field.MODEL),))
        rules = Rules([*CONVENTIONS, acme], {**PLACES, Field.MODEL: ("acme.model", *PLACES[Field.MODEL])})
        models = [key for convention in CONVENTIONS for key in convention.keys if key.field is Field.MODEL]
        assert rules.rank(acme.keys[0]) == 1
        assert [rules.rank(key) for key in models] == [BUILT_IN.rules.rank(key) + 1 for key in models]

    def test_readers_of_one_name_come_in_the_order_in_which_they_are_declared(self) -> None:
        keys = (
            Key("usage", Field.INPUT_TOKENS, read=str.upper),
            Key("usage", Field.INPUT_TOKENS, read=str.title),
        )
        rules = Rules([Convention("Acme", "y", keys)], {Field.INPUT_TOKENS: ("usage",)})
        assert [(rank, read) for _, rank, read in rules["usage"]] == [(1, str.upper), (1, str.title)]

    def test_a_template_is_one_word(self) -> None:
        assert {rule[0] for rule in BUILT_IN.rules["llm.openai.usage"]} > {Field.INPUT_TOKENS, Field.PROVIDER}
        for name in ("llm.usage", "llm..usage", "llm.a.b.usage", "llm.openai.usages", "allm.openai.usage"):
            assert BUILT_IN.rules[name] == ()

    @pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)
    def test_no_template_takes_a_declared_name(self, convention: Convention) -> None:
        templates = [each for other in CONVENTIONS for each in other.templates]
        names = [key.name for key in convention.keys] + [prefix.name for prefix in convention.prefixes]
        assert not [(name, each.shown) for name in names for each in templates if each.word_in(name)]

    def test_unknown_names_are_forgotten_before_they_fill_memory(self) -> None:
        rules = Rules(CONVENTIONS, PLACES)
        for i in range(50_000):
            assert rules[f"unknown.{i}"] == ()
        assert len(rules) < 25_000
        assert rules["session.id"] == BUILT_IN.rules["session.id"]
