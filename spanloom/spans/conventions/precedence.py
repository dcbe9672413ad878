"""Precedence: for each field its keys, the best first.

A field takes the first key of its list that is present, not empty and valid. A new key takes the place where it
belongs: nothing else changes. A name that a user of an SDK writes beats one that a framework makes up.

A key stands here by its name, a prefix with `*` behind it, a template with `*` for its word. Where several
conventions read one name, or one convention reads it in several ways, it has one place, and the first of them that
finds something valid counts, in the order in which they are declared.

The keys of sessions and users also have numbers: which key named a session is stored with the span and decides,
perhaps years later, to which session a trace belongs. So what is stored is a number that stays, and the order is looked
up here whenever a trace is folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from spanloom.spans.conventions.fields import Field


class NumberedKey(NamedTuple):
    """A key that names the session or the user of a span."""

    number: int
    """Stands for the key in tables, messages and changelogs. It is never changed and never given to another key; a key
    that no convention reads any more keeps it, and its place."""
    name: str


NO_KEY = 0
"""The number of no key: nothing names a session or user."""

OWN_NUMBERS = range(32_768, 65_536)
"""Left free for keys that users declare themselves: spanloom's own stay below."""

SESSION_KEYS = (
    NumberedKey(1, "lmnr.association.properties.session_id"),
    NumberedKey(2, "langfuse.session.id"),
    NumberedKey(3, "session.id"),
    NumberedKey(4, "ai.telemetry.metadata.sessionId"),
    NumberedKey(5, "ai.telemetry.metadata.session_id"),
    NumberedKey(6, "traceloop.association.properties.session_id"),
    NumberedKey(7, "ai.settings.context.sessionId"),
    NumberedKey(8, "ai.settings.context.session_id"),
    NumberedKey(9, "gen_ai.conversation.id"),
)
"""What names sessions, the best first. A new key takes the next number, wherever its place is."""

USER_KEYS = (
    NumberedKey(1, "lmnr.association.properties.user_id"),
    NumberedKey(2, "langfuse.user.id"),
    NumberedKey(3, "user.id"),
    NumberedKey(4, "ai.telemetry.metadata.userId"),
    NumberedKey(5, "ai.telemetry.metadata.user_id"),
    NumberedKey(6, "traceloop.association.properties.user_id"),
    NumberedKey(7, "ai.settings.context.userId"),
    NumberedKey(8, "ai.settings.context.user_id"),
    NumberedKey(9, "enduser.id"),
    NumberedKey(10, "llm.user"),
)
"""What names users, the best first, with numbers of their own."""

PRECEDENCE: Mapping[Field, tuple[str, ...]] = {
    Field.SESSION_ID: tuple(key.name for key in SESSION_KEYS),
    Field.USER_ID: tuple(key.name for key in USER_KEYS),
    Field.SPAN_TYPE: (
        "lmnr.span.path",
        "lmnr.span.type",
        "openinference.span.kind",
        "langfuse.observation.type",
        "gen_ai.operation.name",
        "traceloop.span.kind",
        "ai.operationId",
        "llm.request.type",
    ),
    Field.SPAN_TYPE_IF_USED: (
        "llm.*.object",
        "llm.*.usage",
    ),
    Field.MODEL: (
        "gen_ai.response.model",
        "ai.response.model",
        "langfuse.observation.model.name",
        "llm.model_name",
        "gen_ai.request.model",
        "ai.model.id",
        "embedding.model_name",
        "llm.*.model",
    ),
    Field.PROVIDER: (
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "ai.model.provider",
        "llm.*.usage",
    ),
    Field.INPUT_TOKENS: (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "langfuse.observation.usage_details",
        "ai.usage.tokens",
        "llm.*.usage",
    ),
    Field.OUTPUT_TOKENS: (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        "langfuse.observation.usage_details",
        "llm.*.usage",
    ),
    Field.CACHE_READ_TOKENS: (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "langfuse.observation.usage_details",
        "llm.*.usage",
    ),
    Field.CACHE_WRITE_TOKENS: (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
        "langfuse.observation.usage_details",
        "llm.*.usage",
    ),
    Field.REASONING_TOKENS: (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.reasoningTokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "langfuse.observation.usage_details",
        "llm.*.usage",
    ),
    Field.INPUT_COST: (
        "gen_ai.usage.input_cost",
        "llm.cost.prompt",
        "langfuse.observation.cost_details",
        "gen_ai.cost.input_cost",
        "litellm.cost.input",
    ),
    Field.OUTPUT_COST: (
        "gen_ai.usage.output_cost",
        "llm.cost.completion",
        "langfuse.observation.cost_details",
        "gen_ai.cost.output_cost",
        "litellm.cost.output",
    ),
    Field.TOTAL_COST: (
        "gen_ai.usage.cost",
        "llm.cost.total",
        "langfuse.observation.cost_details",
        "operation.cost",
        "gen_ai.cost.total_cost",
        "litellm.cost.total",
    ),
    Field.INPUT: (
        "gen_ai.input.messages",
        "ai.prompt.messages",
        "ai.prompt",
        "langfuse.observation.input",
        "llm.input_messages.*",
        "gen_ai.prompt.*",
        "lmnr.span.input",
        "traceloop.entity.input",
        "input.value",
        "llm.*.messages",
        "llm.*.input",
    ),
    Field.OUTPUT: (
        "gen_ai.output.messages",
        "ai.response.text",
        "ai.response.object",
        "langfuse.observation.output",
        "llm.output_messages.*",
        "gen_ai.completion.*",
        "lmnr.span.output",
        "traceloop.entity.output",
        "output.value",
        "llm.*.choices",
        "llm.*.output",
        "llm.*.content",
    ),
    Field.TOOL_INPUT: (
        "gen_ai.tool.call.arguments",
        "ai.toolCall.args",
    ),
    Field.TOOL_OUTPUT: (
        "gen_ai.tool.call.result",
        "ai.toolCall.result",
    ),
    Field.STATUS: (
        "langfuse.observation.level",
        "ai.response.finishReason",
    ),
    Field.STATUS_MESSAGE: ("langfuse.observation.status_message",),
    # Of tags and metadata every key counts; where two keys give a metadata name, the value of the better one counts.
    Field.TAGS: (
        "lmnr.association.properties.tags",
        "langfuse.trace.tags",
        "tag.tags",
        "ai.telemetry.metadata.tags",
        "ai.settings.context.tags",
    ),
    Field.METADATA: (
        "lmnr.association.properties.metadata.*",
        "langfuse.trace.metadata",
        "langfuse.trace.metadata.*",
        "metadata",
        "ai.telemetry.metadata.*",
        "traceloop.association.properties.*",
        "ai.settings.context.*",
    ),
}
"""The keys of each field, the best first; keys of INPUT_FLATTENED and OUTPUT_FLATTENED stand in INPUT and OUTPUT."""
