"""LangSmith: what its SDKs for Python and JavaScript export by OpenTelemetry.

`langsmith.trace.session_id` and `session_name` are a project, no session. The name of the operation is `chat` for
prompt templates and `embeddings` for retrievers, too, so that the kind of the run goes before it.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice, comma_tags, json_object, number_at
from spanloom.spans.conventions.usage_objects import cache_write, response_id_in, usage_keys
from spanloom.spans.text.python_repr import short_as_json

KINDS = {
    "llm": "LLM",
    "chain": "CHAIN",
    "tool": "TOOL",
    "retriever": "RETRIEVER",
    "embedding": "EMBEDDING",
    "prompt": "CHAIN",
    "parser": "CHAIN",
}

_MADE_UP = ("seq:step:", "map:key:", "graph:step:", "langsmith:")
"""How tags begin that LangChain and LangGraph make up."""


def span_tags(text: str) -> tuple[str, ...]:
    """Tags that a person gave, separated by commas."""
    return tuple(tag for tag in comma_tags(text) if not tag.startswith(_MADE_UP))


def _detail(name: str, field: Field, *path: str) -> Key:
    """A count in the details of usage: the `repr` of a dict in Python, JSON in JavaScript."""
    read = number_at(*path)
    return Key(f"gen_ai.usage.{name}_token_details", field, read=lambda text: read(short_as_json(text)))


def _written(text: str) -> int | None:
    """What was written to the cache, by the details: the SDK for JavaScript gives it by age alone."""
    return cache_write({"input_token_details": json_object(short_as_json(text))})


CONVENTION = Convention(
    name="LangSmith",
    source="langsmith 0.15 (PyPI): langsmith/_internal/otel/_otel_exporter.py; langsmith 0.12 (npm): experimental/otel;"
    " https://docs.langchain.com/langsmith/threads",
    keys=(
        Key("langsmith.metadata.session_id", Field.SESSION_ID),
        Key("langsmith.metadata.thread_id", Field.SESSION_ID),
        Key("langsmith.metadata.conversation_id", Field.SESSION_ID),
        # What its exporter for the AI SDK makes of that SDK's metadata.
        Key("langsmith.metadata.sessionId", Field.SESSION_ID),
        Key("langsmith.metadata.user_id", Field.USER_ID),
        Key("langsmith.metadata.userId", Field.USER_ID),
        Key("langsmith.span.tags", Field.TAGS, read=span_tags),
        Key("langsmith.span.kind", Field.SPAN_TYPE, read=choice(KINDS)),
        Key("langsmith.metadata.ls_model_name", Field.MODEL),
        Key("langsmith.metadata.ls_provider", Field.PROVIDER),
        _detail("input", Field.CACHE_READ_TOKENS, "cache_read"),
        Key("gen_ai.usage.input_token_details", Field.CACHE_WRITE_TOKENS, read=_written),
        _detail("output", Field.REASONING_TOKENS, "reasoning"),
        _detail("input", Field.INPUT_AUDIO_TOKENS, "audio"),
        _detail("input", Field.CACHE_WRITE_1H_TOKENS, "ephemeral_1h_input_tokens"),
        _detail("output", Field.OUTPUT_AUDIO_TOKENS, "audio"),
        *usage_keys("langsmith.metadata.usage_metadata"),
        *usage_keys("langsmith.usage_metadata"),
        Key("gen_ai.prompt", Field.INPUT),
        Key("gen_ai.completion", Field.OUTPUT),
        Key("gen_ai.completion", Field.RESPONSE_ID, read=response_id_in),
    ),
    prefixes=(Prefix("langsmith.metadata.", Field.METADATA),),
)
