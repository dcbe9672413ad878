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
        Key("langfuse.session.id", Field.SESSION_ID, 2),
        Key("langfuse.user.id", Field.USER_ID, 2),
        Key("langfuse.trace.tags", Field.TAGS, 2),
        Key("langfuse.trace.metadata", Field.METADATA, 2),
        Key("langfuse.observation.type", Field.SPAN_TYPE, 4, read=choice(OBSERVATION_TYPES)),
        Key("langfuse.observation.model.name", Field.MODEL, 3),
        Key(USAGE, Field.INPUT_TOKENS, 6, read=sum_or_total("input", "prompt_tokens")),
        Key(USAGE, Field.OUTPUT_TOKENS, 6, read=sum_or_total("output", "completion_tokens")),
        Key(USAGE, Field.CACHE_READ_TOKENS, 7, read=number_at("prompt_tokens_details", "cached_tokens")),
        Key(USAGE, Field.CACHE_READ_TOKENS, 8, read=number_at("input_cached_tokens")),
        # Langfuse's LangChain handler writes these.
        Key(USAGE, Field.CACHE_READ_TOKENS, 9, read=number_at("input_cache_read")),
        Key(USAGE, Field.CACHE_WRITE_TOKENS, 6, read=number_at("input_cache_creation")),
        Key(
            USAGE, Field.REASONING_TOKENS, 7, read=number_at("completion_tokens_details", "reasoning_tokens")
        ),
        Key(USAGE, Field.REASONING_TOKENS, 8, read=number_at("output_reasoning_tokens")),
        Key(USAGE, Field.REASONING_TOKENS, 9, read=number_at("output_reasoning")),
        Key(COST, Field.INPUT_COST, 3, read=cost_at("input")),
        Key(COST, Field.OUTPUT_COST, 3, read=cost_at("output")),
        Key(COST, Field.TOTAL_COST, 3, read=cost_at("total")),
        # A completion's prompt and a text given to the Responses API stand here as they are.
        Key("langfuse.observation.input", Field.INPUT, 4, prompt=True),
        Key("langfuse.observation.output", Field.OUTPUT, 4),
        # The SDK for JavaScript marks what fails by this alone and leaves the span's status unset.
        Key("langfuse.observation.level", Field.STATUS, 1, read=choice({"error": "error"})),
        Key("langfuse.observation.status_message", Field.STATUS_MESSAGE, 1),
    ),
    # Since version 5 each value is JSON, a text in quotes too (`_serialize_metadata_value`).
    prefixes=(Prefix("langfuse.trace.metadata.", Field.METADATA, 2, read=unquoted),),
)
