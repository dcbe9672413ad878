"""Vercel's AI SDK: version 4 to 6 with `experimental_telemetry`, and 7 with `@ai-sdk/otel`.

Version 7 writes OpenTelemetry's names; its runtime context, which carries identity, is the one thing of its own.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import choice, milliseconds, up_to_first_dot
from spanloom.spans.conventions.usage_objects import provider_keys


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
        Key("ai.telemetry.metadata.sessionId", Field.SESSION_ID),
        Key("ai.telemetry.metadata.session_id", Field.SESSION_ID),
        Key("ai.settings.context.sessionId", Field.SESSION_ID),
        Key("ai.settings.context.session_id", Field.SESSION_ID),
        Key("ai.telemetry.metadata.threadId", Field.SESSION_ID),
        Key("ai.telemetry.metadata.userId", Field.USER_ID),
        Key("ai.telemetry.metadata.user_id", Field.USER_ID),
        Key("ai.settings.context.userId", Field.USER_ID),
        Key("ai.settings.context.user_id", Field.USER_ID),
        Key("ai.telemetry.metadata.tags", Field.TAGS),
        Key("ai.settings.context.tags", Field.TAGS),
        Key("ai.operationId", Field.SPAN_TYPE, read=span_type),
        Key("gen_ai.operation.name", Field.SPAN_TYPE, read=choice(STEPS)),
        # A stream that breaks off in the middle is marked by this alone.
        Key("ai.response.finishReason", Field.STATUS, read=choice({"error": "error"})),
        Key("ai.response.id", Field.RESPONSE_ID),
        Key("ai.response.msToFirstChunk", Field.FIRST_TOKEN_AFTER, read=milliseconds),
        Key("ai.stream.msToFirstChunk", Field.FIRST_TOKEN_AFTER, read=milliseconds),
        Key("ai.response.model", Field.MODEL),
        Key("ai.model.id", Field.MODEL),
        Key("ai.model.provider", Field.PROVIDER, read=up_to_first_dot),
        Key("ai.usage.inputTokens", Field.INPUT_TOKENS),
        Key("ai.usage.promptTokens", Field.INPUT_TOKENS),
        # Embeddings have one number.
        Key("ai.usage.tokens", Field.INPUT_TOKENS),
        Key("ai.usage.outputTokens", Field.OUTPUT_TOKENS),
        Key("ai.usage.completionTokens", Field.OUTPUT_TOKENS),
        Key("ai.usage.cachedInputTokens", Field.CACHE_READ_TOKENS),
        Key("ai.usage.inputTokenDetails.cacheReadTokens", Field.CACHE_READ_TOKENS),
        Key("ai.usage.inputTokenDetails.cacheWriteTokens", Field.CACHE_WRITE_TOKENS),
        Key("ai.usage.totalTokens", Field.TOTAL_TOKENS),
        # As the provider counts: versions 4 and 5 hand through what Anthropic counts beside the input.
        *provider_keys("ai.response.providerMetadata"),
        Key("ai.usage.reasoningTokens", Field.REASONING_TOKENS),
        Key("ai.usage.outputTokenDetails.reasoningTokens", Field.REASONING_TOKENS),
        Key("ai.prompt.messages", Field.INPUT),
        Key("ai.prompt", Field.INPUT),
        Key("ai.response.text", Field.OUTPUT, plain=True),
        Key("ai.response.object", Field.OUTPUT, plain=True),
        Key("ai.toolCall.args", Field.TOOL_INPUT),
        Key("ai.toolCall.result", Field.TOOL_OUTPUT),
    ),
    prefixes=(
        Prefix("ai.telemetry.metadata.", Field.METADATA),
        Prefix("ai.settings.context.", Field.METADATA),
    ),
)
