"""Laminar: `lmnr` for Python and `@lmnr-ai/lmnr` for TypeScript."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice

SPAN_TYPES = {
    "LLM": "LLM",
    "EMBEDDING": "EMBEDDING",
    "TOOL": "TOOL",
    "AGENT": "AGENT",
    "CHAIN": "CHAIN",
    "RETRIEVER": "RETRIEVER",
    "RERANKER": "RERANKER",
    "GUARDRAIL": "GUARDRAIL",
    "EVALUATOR": "EVALUATOR",
    "HUMAN_EVALUATOR": "EVALUATOR",
    "EVALUATION": "CHAIN",
    "EXECUTOR": "CHAIN",
    "DEFAULT": "DEFAULT",
}

NAMES = {
    "openai.embeddings": "EMBEDDING",
    "openrouter.embeddings": "EMBEDDING",
    "cohere.embed": "EMBEDDING",
    "cohere.rerank": "RERANKER",
}
"""What `lmnr`'s own instrumentations call spans to which they give the type LLM all the same."""

_ENDINGS = {f'"{name}"]': kind for name, kind in NAMES.items()}


def type_by_path(path: str) -> str | None:
    """The type of a span by its path: the names from the root down to its own, a JSON array here."""
    return next((kind for ending, kind in _ENDINGS.items() if path.endswith(ending)), None)


CONVENTION = Convention(
    name="Laminar",
    source="lmnr 0.8.2 (PyPI) and @lmnr-ai/lmnr 0.8.44 (npm): opentelemetry_lib/tracing/attributes.py",
    keys=(
        Key("lmnr.association.properties.session_id", Field.SESSION_ID),
        Key("lmnr.association.properties.user_id", Field.USER_ID),
        Key("lmnr.association.properties.tags", Field.TAGS),
        Key("lmnr.span.path", Field.SPAN_TYPE, read=type_by_path),
        Key("lmnr.span.type", Field.SPAN_TYPE, read=choice(SPAN_TYPES)),
        Key("lmnr.span.input", Field.INPUT),
        Key("lmnr.span.output", Field.OUTPUT),
    ),
    prefixes=(Prefix("lmnr.association.properties.metadata.", Field.METADATA),),
)
