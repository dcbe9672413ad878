"""OpenLLMetry: Traceloop's SDK and its instrumentations."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice

SPAN_KINDS = {"workflow": "CHAIN", "task": "CHAIN", "agent": "AGENT", "tool": "TOOL"}

REQUEST_TYPES = {"chat": "LLM", "completion": "LLM", "embedding": "EMBEDDING", "rerank": "RERANKER"}

CONVENTION = Convention(
    name="OpenLLMetry",
    source="opentelemetry-semantic-conventions-ai 0.4 and 0.5, traceloop-sdk 0.62 (PyPI), node-server-sdk 0.27 (npm)",
    keys=(
        Key("traceloop.association.properties.session_id", Field.SESSION_ID),
        Key("traceloop.association.properties.user_id", Field.USER_ID),
        Key("gen_ai.user", Field.USER_ID),
        Key("llm.user", Field.USER_ID),
        Key("traceloop.span.kind", Field.SPAN_TYPE, read=choice(SPAN_KINDS)),
        Key("llm.request.type", Field.SPAN_TYPE, read=choice(REQUEST_TYPES)),
        Key("llm.usage.total_tokens", Field.TOTAL_TOKENS),
        Key("llm.usage.reasoning_tokens", Field.REASONING_TOKENS),
        Key("traceloop.entity.input", Field.INPUT),
        Key("traceloop.entity.output", Field.OUTPUT),
    ),
    prefixes=(
        Prefix("gen_ai.prompt.", Field.INPUT_FLATTENED),
        Prefix("gen_ai.completion.", Field.OUTPUT_FLATTENED),
        Prefix("traceloop.association.properties.", Field.METADATA),
    ),
)
