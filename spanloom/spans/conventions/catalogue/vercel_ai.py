"""Vercel's AI SDK: version 4 to 6 with `experimental_telemetry`, and 7 with `@ai-sdk/otel`.

Version 7 writes OpenTelemetry's names; its runtime context, which carries identity, is the one thing of its own.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice, up_to_first_dot


def span_type(operation: str) -> str | None:
    """The kind of a span from `ai.operationId`: the calls of a model lie inside spans of the SDK's
    functions."""
    if operation.endswith((".doGenerate", ".doStream")):
        return "LLM"
    if operation == "ai.toolCall":
        return "TOOL"
    if operation.startswith("ai.embed") and operation.endswith(".doEmbed"):
        return "EMBEDDING"
    if operation.endswith(".doRerank"):
        return "RERANKER"
    return "CHAIN" if operation.startswith("ai.") else None


STEPS = {"agent_step": "CHAIN", "rerank": "RERANKER"}
"""Operations of version 7 that OpenTelemetry doesn't name."""

CONVENTION = Convention(
    name="Vercel AI SDK",
    source="ai 6.0 and @ai-sdk/otel 1.0 (npm): src/; https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    keys=(
        Key("ai.telemetry.metadata.sessionId", Field.SESSION_ID, 4),
        Key("ai.telemetry.metadata.session_id", Field.SESSION_ID, 5),
        Key("ai.settings.context.sessionId", Field.SESSION_ID, 7),
        Key("ai.settings.context.session_id", Field.SESSION_ID, 8),
        Key("ai.telemetry.metadata.userId", Field.USER_ID, 4),
        Key("ai.telemetry.metadata.user_id", Field.USER_ID, 5),
        Key("ai.settings.context.userId", Field.USER_ID, 7),
        Key("ai.settings.context.user_id", Field.USER_ID, 8),
        Key("ai.telemetry.metadata.tags", Field.TAGS, 4),
        Key("ai.settings.context.tags", Field.TAGS, 6),
        Key("ai.operationId", Field.SPAN_TYPE, 7, read=span_type),
        Key("gen_ai.operation.name", Field.SPAN_TYPE, 10, read=choice(STEPS)),
        # A stream that breaks off in the middle is marked by this alone.
        Key("ai.response.finishReason", Field.STATUS, 2, read=choice({"error": "error"})),
        Key("ai.response.model", Field.MODEL, 2),
        Key("ai.model.id", Field.MODEL, 6),
        Key("ai.model.provider", Field.PROVIDER, 5, read=up_to_first_dot),
        Key("ai.usage.inputTokens", Field.INPUT_TOKENS, 4),
        Key("ai.usage.promptTokens", Field.INPUT_TOKENS, 5),
        # Embeddings have one number.
        Key("ai.usage.tokens", Field.INPUT_TOKENS, 7),
        Key("ai.usage.outputTokens", Field.OUTPUT_TOKENS, 4),
        Key("ai.usage.completionTokens", Field.OUTPUT_TOKENS, 5),
        Key("ai.usage.cachedInputTokens", Field.CACHE_READ_TOKENS, 5),
        Key("ai.usage.inputTokenDetails.cacheReadTokens", Field.CACHE_READ_TOKENS, 6),
        Key("ai.usage.inputTokenDetails.cacheWriteTokens", Field.CACHE_WRITE_TOKENS, 5),
        Key("ai.usage.reasoningTokens", Field.REASONING_TOKENS, 5),
        Key("ai.usage.outputTokenDetails.reasoningTokens", Field.REASONING_TOKENS, 6),
        Key("ai.prompt.messages", Field.INPUT, 2),
        Key("ai.prompt", Field.INPUT, 3),
        Key("ai.response.text", Field.OUTPUT, 2, plain=True),
        Key("ai.response.object", Field.OUTPUT, 3, plain=True),
        Key("ai.toolCall.args", Field.TOOL_INPUT, 2),
        Key("ai.toolCall.result", Field.TOOL_OUTPUT, 2),
    ),
    prefixes=(
        Prefix("ai.telemetry.metadata.", Field.METADATA, 4),
        Prefix("ai.settings.context.", Field.METADATA, 6),
    ),
)
