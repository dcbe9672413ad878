"""Vercel's AI SDK with `experimental_telemetry`."""

from __future__ import annotations

from spans.conventions.fields import Convention, Field, Key, Prefix
from spans.conventions.readers import up_to_first_dot


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


CONVENTION = Convention(
    name="Vercel AI SDK",
    source="ai 6.0 (npm): packages/ai/src/telemetry; https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    keys=(
        Key("ai.telemetry.metadata.sessionId", Field.SESSION_ID, 4),
        Key("ai.telemetry.metadata.session_id", Field.SESSION_ID, 5),
        Key("ai.telemetry.metadata.userId", Field.USER_ID, 4),
        Key("ai.telemetry.metadata.user_id", Field.USER_ID, 5),
        Key("ai.telemetry.metadata.tags", Field.TAGS, 4),
        Key("ai.operationId", Field.SPAN_TYPE, 7, read=span_type),
        Key("ai.response.model", Field.MODEL, 2),
        Key("ai.model.id", Field.MODEL, 6),
        Key("ai.model.provider", Field.PROVIDER, 5, read=up_to_first_dot),
        Key("ai.usage.inputTokens", Field.INPUT_TOKENS, 4),
        Key("ai.usage.promptTokens", Field.INPUT_TOKENS, 5),
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
    prefixes=(Prefix("ai.telemetry.metadata.", Field.METADATA, 4),),
)
