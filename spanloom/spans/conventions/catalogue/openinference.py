"""OpenInference: Arize Phoenix's instrumentations of OpenAI, LangChain, OpenAI Agents, LlamaIndex and many
more."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice

SPAN_KINDS = {
    kind: kind
    for kind in (
        "LLM",
        "EMBEDDING",
        "TOOL",
        "AGENT",
        "CHAIN",
        "RETRIEVER",
        "RERANKER",
        "GUARDRAIL",
        "EVALUATOR",
    )
}

CONVENTION = Convention(
    name="OpenInference",
    source="openinference-semantic-conventions 0.1 (PyPI): openinference/semconv/trace/__init__.py",
    keys=(
        Key("session.id", Field.SESSION_ID, 3),
        Key("user.id", Field.USER_ID, 3),
        Key("tag.tags", Field.TAGS, 3),
        Key("metadata", Field.METADATA, 3),
        Key(
            "openinference.span.kind",
            Field.SPAN_TYPE,
            3,
            read=choice(SPAN_KINDS | {kind.lower(): kind for kind in SPAN_KINDS}),
        ),
        Key("llm.model_name", Field.MODEL, 4),
        Key("embedding.model_name", Field.MODEL, 7),
        Key("llm.provider", Field.PROVIDER, 3),
        Key("llm.system", Field.PROVIDER, 4),
        Key("llm.token_count.prompt", Field.INPUT_TOKENS, 3),
        Key("llm.token_count.completion", Field.OUTPUT_TOKENS, 3),
        Key("llm.token_count.prompt_details.cache_read", Field.CACHE_READ_TOKENS, 4),
        Key("llm.token_count.prompt_details.cache_write", Field.CACHE_WRITE_TOKENS, 4),
        Key("llm.token_count.completion_details.reasoning", Field.REASONING_TOKENS, 4),
        Key("llm.cost.prompt", Field.INPUT_COST, 2),
        Key("llm.cost.completion", Field.OUTPUT_COST, 2),
        Key("llm.cost.total", Field.TOTAL_COST, 2),
        Key("input.value", Field.INPUT, 9),
        Key("output.value", Field.OUTPUT, 9),
    ),
    prefixes=(
        Prefix("llm.input_messages.", Field.INPUT_PIECES, 5),
        Prefix("llm.output_messages.", Field.OUTPUT_PIECES, 5),
    ),
)
