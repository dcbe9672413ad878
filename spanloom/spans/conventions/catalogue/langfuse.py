"""Langfuse: its SDKs for Python and JavaScript, which export OTLP since version 3 and 4."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice, cost_at, number_at, sum_or_total, unquoted

OBSERVATION_TYPES = {
    "generation": "LLM",
    "embedding": "EMBEDDING",
    "tool": "TOOL",
    "agent": "AGENT",
    "chain": "CHAIN",
    "retriever": "RETRIEVER",
    "guardrail": "GUARDRAIL",
    "evaluator": "EVALUATOR",
    "span": "DEFAULT",
    "event": "DEFAULT",
}

USAGE = "langfuse.observation.usage_details"
"""JSON. With `input*` and `output*` its parts are disjoint; with OpenAI's names the totals stand there."""

COST = "langfuse.observation.cost_details"

CONVENTION = Convention(
    name="Langfuse",
    source="langfuse 5 (PyPI): langfuse/_client/attributes.py; @langfuse/core, tracing and openai 5.11 (npm)",
    keys=(
        Key("langfuse.session.id", Field.SESSION_ID),
        Key("langfuse.user.id", Field.USER_ID),
        Key("langfuse.trace.tags", Field.TAGS),
        Key("langfuse.trace.metadata", Field.METADATA),
        Key("langfuse.observation.type", Field.SPAN_TYPE, read=choice(OBSERVATION_TYPES)),
        Key("langfuse.observation.model.name", Field.MODEL),
        Key(USAGE, Field.INPUT_TOKENS, read=sum_or_total("input", "prompt_tokens")),
        Key(USAGE, Field.OUTPUT_TOKENS, read=sum_or_total("output", "completion_tokens")),
        Key(USAGE, Field.CACHE_READ_TOKENS, read=number_at("prompt_tokens_details", "cached_tokens")),
        Key(USAGE, Field.CACHE_READ_TOKENS, read=number_at("input_cached_tokens")),
        # Langfuse's LangChain handler writes these.
        Key(USAGE, Field.CACHE_READ_TOKENS, read=number_at("input_cache_read")),
        Key(USAGE, Field.CACHE_WRITE_TOKENS, read=number_at("input_cache_creation")),
        Key(USAGE, Field.REASONING_TOKENS, read=number_at("completion_tokens_details", "reasoning_tokens")),
        Key(USAGE, Field.REASONING_TOKENS, read=number_at("output_reasoning_tokens")),
        Key(USAGE, Field.REASONING_TOKENS, read=number_at("output_reasoning")),
        Key(COST, Field.INPUT_COST, read=cost_at("input")),
        Key(COST, Field.OUTPUT_COST, read=cost_at("output")),
        Key(COST, Field.TOTAL_COST, read=cost_at("total")),
        # A completion's prompt and a text given to the Responses API stand here as they are.
        Key("langfuse.observation.input", Field.INPUT, prompt=True),
        Key("langfuse.observation.output", Field.OUTPUT),
        # The SDK for JavaScript marks what fails by this alone and leaves the span's status unset.
        Key("langfuse.observation.level", Field.STATUS, read=choice({"error": "error"})),
        Key("langfuse.observation.status_message", Field.STATUS_MESSAGE),
    ),
    # Since version 5 each value is JSON, a text in quotes too (`_serialize_metadata_value`).
    prefixes=(Prefix("langfuse.trace.metadata.", Field.METADATA, read=unquoted),),
)
