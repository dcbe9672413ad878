"""How all but spanloom read a span: the same keys as spanloom's, as far as the benchmark's load uses them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from genai_prices import Usage, calc_price

_SESSION = ("session.id", "traceloop.association.properties.session_id", "gen_ai.conversation.id")
_USER = ("user.id", "enduser.id")
_MODEL = ("gen_ai.response.model", "llm.model_name", "gen_ai.request.model")
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider")
_INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
_CACHED = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
)
_SAID = ("gen_ai.input.messages", "gen_ai.prompt.1.content", "llm.input_messages.1.message.content")
_ANSWERED = ("gen_ai.output.messages", "gen_ai.completion.0.content", "llm.output_messages.0.message.content")
_OTHER_INPUT = ("gen_ai.tool.call.arguments", "traceloop.entity.input", "input.value")
_OTHER_OUTPUT = ("gen_ai.tool.call.result", "traceloop.entity.output", "output.value")
_OPERATIONS = {"chat": "LLM", "execute_tool": "TOOL", "invoke_agent": "AGENT", "embeddings": "EMBEDDING"}

SPAN_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "start_time",
    "end_time",
    "status",
    "status_message",
    "service_name",
    "span_type",
    "session_id",
    "user_id",
    "model",
    "provider",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cost",
    "input",
    "output",
    "attributes",
    "resource",
)
"""Of a row of the table `spans`, which all but spanloom write; times are nanoseconds, `cost` is USD."""


def fields(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be known of a span: type, session, user, model, tokens, cost in USD, input and output."""
    span_type = _type(attributes)
    model, provider = _first(attributes, _MODEL, ""), _first(attributes, _PROVIDER, "")
    tokens = [int(_first(attributes, keys, 0)) for keys in (_INPUT, _OUTPUT, _CACHED)]
    return {
        "span_type": span_type,
        "session_id": _first(attributes, _SESSION, ""),
        "user_id": _first(attributes, _USER, ""),
        "model": model,
        "provider": provider,
        "input_tokens": tokens[0],
        "output_tokens": tokens[1],
        "cache_read_tokens": tokens[2],
        "cost": _cost(provider, model, *tokens) if model else 0.0,
        "input": _first(attributes, _SAID + _OTHER_INPUT, ""),
        "output": _first(attributes, _ANSWERED + _OTHER_OUTPUT, ""),
    }


def _first(attributes: Mapping[str, Any], keys: tuple[str, ...], default: Any) -> Any:
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return value
    return default


def _type(attributes: Mapping[str, Any]) -> str:
    if kind := attributes.get("openinference.span.kind"):
        return str(kind)
    if operation := attributes.get("gen_ai.operation.name"):
        return _OPERATIONS.get(operation, "DEFAULT")
    if attributes.get("traceloop.span.kind"):
        return "CHAIN"
    return "LLM" if attributes.get("llm.request.type") == "chat" else "DEFAULT"


def _cost(provider: str, model: str, input_tokens: int, output_tokens: int, cached: int) -> float:
    fresh, from_cache, answered = _rates(provider, model)
    return (input_tokens - cached) * fresh + cached * from_cache + output_tokens * answered


@cache
def _rates(provider: str, model: str) -> tuple[float, float, float]:
    """USD a token; the library takes 200 µs a call, so a careful user asks once a model."""

    def rate(usage: Usage) -> float:
        return float(calc_price(usage, model, provider_id=provider).total_price) / 1000

    return (
        rate(Usage(input_tokens=1000)),
        rate(Usage(input_tokens=1000, cache_read_tokens=1000)),
        rate(Usage(output_tokens=1000)),
    )
