"""Mastra, through its exporters for OpenTelemetry."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix, Template
from spanloom.spans.conventions.readers import choice, moment

SPAN_TYPES = {
    "agent_run": "AGENT",
    # Around the steps of a call, and in older versions the call itself.
    "model_generation": "LLM",
    "model_inference": "LLM",
    "model_step": "CHAIN",
    "model_chunk": "DEFAULT",
    "tool_call": "TOOL",
    "mcp_tool_call": "TOOL",
    "provider_tool_call": "TOOL",
    "client_tool_call": "TOOL",
    "workflow_run": "CHAIN",
    "workflow_step": "CHAIN",
    "workflow_conditional": "CHAIN",
    "workflow_parallel": "CHAIN",
    "workflow_loop": "CHAIN",
    "processor_run": "CHAIN",
    "rag_embedding": "EMBEDDING",
    "rag_vector_operation": "RETRIEVER",
    "memory_operation": "CHAIN",
    "generic": "DEFAULT",
}

CONVENTION = Convention(
    name="Mastra",
    source="@mastra/otel-exporter 0.3 and 1.4, @mastra/core 1.71 (npm)",
    keys=(
        Key("mastra.metadata.sessionId", Field.SESSION_ID),
        Key("mastra.metadata.threadId", Field.SESSION_ID),
        Key("mastra.metadata.userId", Field.USER_ID),
        Key("mastra.metadata.resourceId", Field.USER_ID),
        Key("mastra.tags", Field.TAGS),
        Key("mastra.span.type", Field.SPAN_TYPE, read=choice(SPAN_TYPES)),
        Key("gen_ai.usage.audio_input_tokens", Field.INPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.audio_output_tokens", Field.OUTPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.cache_creation.1h_input_tokens", Field.CACHE_WRITE_1H_TOKENS),
        Key("mastra.completion_start_time", Field.FIRST_TOKEN_AT, read=moment),
    ),
    prefixes=(Prefix("mastra.metadata.", Field.METADATA),),
    templates=(
        Template("mastra.", ".input", Field.INPUT),
        Template("mastra.", ".output", Field.OUTPUT),
    ),
)
