"""VoltAgent, by the spans that it writes itself.

The span of a call covers all steps of it and states the usage of the last one, the agent's around it the sum. What
`usage.prompt_context.*` says is an estimate, and no usage.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice

SPAN_TYPES = {
    "llm": "LLM",
    "tool": "TOOL",
    "agent": "AGENT",
    "embedding": "EMBEDDING",
    "retriever": "RETRIEVER",
    "vector": "RETRIEVER",
    "guardrail": "GUARDRAIL",
    "middleware": "CHAIN",
    "summary": "CHAIN",
    "memory": "CHAIN",
}

CONVENTION = Convention(
    name="VoltAgent",
    source="@voltagent/core 2.10 (npm): dist/index, AgentTraceContext; pipecat-ai 1.14 (PyPI): utils/tracing, which"
    " shares `conversation.id`, `input` and `output`",
    keys=(
        Key("conversation.id", Field.SESSION_ID),
        Key("voltagent.conversation_id", Field.SESSION_ID),
        Key("span.type", Field.SPAN_TYPE, read=choice(SPAN_TYPES)),
        # Whose span it is: of the agent's own, which has no type, it is the type.
        Key("entity.type", Field.SPAN_TYPE, read=choice({"agent": "AGENT", "workflow": "CHAIN"})),
        Key("llm.model", Field.MODEL),
        Key("ai.model.name", Field.MODEL),
        Key("usage.prompt_tokens", Field.INPUT_TOKENS),
        Key("usage.completion_tokens", Field.OUTPUT_TOKENS),
        Key("usage.total_tokens", Field.TOTAL_TOKENS),
        Key("usage.cached_tokens", Field.CACHE_READ_TOKENS),
        Key("usage.reasoning_tokens", Field.REASONING_TOKENS),
        Key("usage.cost", Field.TOTAL_COST),
        Key("llm.usage.prompt_tokens", Field.INPUT_TOKENS),
        Key("llm.usage.completion_tokens", Field.OUTPUT_TOKENS),
        Key("llm.usage.cached_tokens", Field.CACHE_READ_TOKENS),
        Key("llm.messages", Field.INPUT),
        Key("input", Field.INPUT),
        Key("output", Field.OUTPUT),
    ),
)
