"""OpenInference: Arize Phoenix's instrumentations of OpenAI, LangChain, OpenAI Agents, LlamaIndex and many
more."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice
from spanloom.spans.conventions.usage_objects import response_id_in

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


def _beeai_event(path: str) -> str | None:
    """Of BeeAI each event within a call (a piece of a stream, an error) is a span of the call's kind: it is no call."""
    return "DEFAULT" if path.startswith("backend.") and ".chat." in path else None


CONVENTION = Convention(
    name="OpenInference",
    source=(
        "openinference-semantic-conventions 0.1 (PyPI): openinference/semconv/trace/__init__.py; "
        "openinference-instrumentation-beeai 0.1.30 (PyPI): processors/base.py and chat.py"
    ),
    keys=(
        Key("session.id", Field.SESSION_ID),
        Key("user.id", Field.USER_ID),
        Key("tag.tags", Field.TAGS),
        Key("metadata", Field.METADATA),
        Key("metadata.path", Field.SPAN_TYPE, read=_beeai_event),
        Key(
            "openinference.span.kind",
            Field.SPAN_TYPE,
            read=choice(SPAN_KINDS | {kind.lower(): kind for kind in SPAN_KINDS}),
        ),
        Key("llm.response.model_name", Field.MODEL),
        Key("llm.model_name", Field.MODEL),
        Key("llm.request.model_name", Field.MODEL),
        Key("reranker.model_name", Field.MODEL),
        Key("embedding.model_name", Field.MODEL),
        Key("llm.provider", Field.PROVIDER),
        Key("llm.system", Field.PROVIDER),
        Key("llm.token_count.prompt", Field.INPUT_TOKENS),
        Key("llm.token_count.completion", Field.OUTPUT_TOKENS),
        Key("llm.token_count.prompt_details.cache_read", Field.CACHE_READ_TOKENS),
        Key("llm.token_count.prompt_details.cache_input", Field.CACHE_READ_TOKENS),
        Key("llm.token_count.prompt_details.cache_write", Field.CACHE_WRITE_TOKENS),
        # BeeAI's, which LiteLLM counts inside the prompt.
        Key("metadata.usage.cached_prompt_tokens", Field.CACHE_READ_TOKENS),
        Key("metadata.usage.cached_creation_tokens", Field.CACHE_WRITE_TOKENS),
        Key("llm.token_count.completion_details.reasoning", Field.REASONING_TOKENS),
        Key("llm.token_count.prompt_details.audio", Field.INPUT_AUDIO_TOKENS),
        Key("llm.token_count.completion_details.audio", Field.OUTPUT_AUDIO_TOKENS),
        Key("llm.token_count.total", Field.TOTAL_TOKENS),
        Key("llm.cost.prompt", Field.INPUT_COST),
        Key("llm.cost.completion", Field.OUTPUT_COST),
        Key("llm.cost.total", Field.TOTAL_COST),
        Key("input.value", Field.INPUT),
        Key("output.value", Field.OUTPUT),
        Key("output.value", Field.RESPONSE_ID, read=response_id_in),
    ),
    prefixes=(
        Prefix("llm.input_messages.", Field.INPUT_FLATTENED),
        Prefix("llm.output_messages.", Field.OUTPUT_FLATTENED),
    ),
)
