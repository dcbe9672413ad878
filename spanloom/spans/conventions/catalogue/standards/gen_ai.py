"""OpenTelemetry's semantic conventions for generative AI, the present ones and those they replaced."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice, seconds

OPERATIONS = {
    "chat": "LLM",
    "text_completion": "LLM",
    "generate_content": "LLM",
    "embeddings": "EMBEDDING",
    "retrieval": "RETRIEVER",
    "execute_tool": "TOOL",
    "invoke_agent": "AGENT",
    "create_agent": "AGENT",
    "invoke_workflow": "CHAIN",
}

CONVENTION = Convention(
    name="OpenTelemetry GenAI",
    source="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and its earlier versions",
    keys=(
        Key("gen_ai.conversation.id", Field.SESSION_ID),
        Key("enduser.id", Field.USER_ID),
        Key("gen_ai.operation.name", Field.SPAN_TYPE, read=choice(OPERATIONS)),
        Key("gen_ai.response.model", Field.MODEL),
        Key("gen_ai.request.model", Field.MODEL),
        Key("gen_ai.provider.name", Field.PROVIDER),
        Key("gen_ai.system", Field.PROVIDER),
        Key("gen_ai.usage.input_tokens", Field.INPUT_TOKENS),
        Key("gen_ai.usage.prompt_tokens", Field.INPUT_TOKENS),
        Key("gen_ai.usage.output_tokens", Field.OUTPUT_TOKENS),
        Key("gen_ai.usage.completion_tokens", Field.OUTPUT_TOKENS),
        Key("gen_ai.usage.cache_read.input_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.cache_read_input_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.cached_input_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.input_tokens.cached", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.cache_read_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.cached_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.input_tokens_details.cached_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.input_token_details.cached_tokens", Field.CACHE_READ_TOKENS),
        # The name since the conventions have a repository of their own, and the one before it.
        Key("gen_ai.usage.cache_write.input_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.cache_creation.input_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.cache_creation_input_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.input_tokens.cache_write", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.input_tokens.cache_creation", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.cache_creation_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.cache_write_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.reasoning.output_tokens", Field.REASONING_TOKENS),
        Key("gen_ai.usage.output_tokens.reasoning", Field.REASONING_TOKENS),
        Key("gen_ai.usage.reasoning_output_tokens", Field.REASONING_TOKENS),
        Key("gen_ai.usage.output_tokens_details.reasoning_tokens", Field.REASONING_TOKENS),
        Key("gen_ai.usage.reasoning_tokens", Field.REASONING_TOKENS),
        Key("gen_ai.usage.total_tokens", Field.TOTAL_TOKENS),
        Key("gen_ai.usage.input_cost", Field.INPUT_COST),
        Key("gen_ai.usage.output_cost", Field.OUTPUT_COST),
        Key("gen_ai.usage.cost", Field.TOTAL_COST),
        Key("gen_ai.usage.total_cost", Field.TOTAL_COST),
        Key("gen_ai.response.id", Field.RESPONSE_ID),
        Key("gen_ai.response.time_to_first_chunk", Field.FIRST_TOKEN_AFTER, read=seconds),
        Key("gen_ai.client.operation.time_to_first_chunk", Field.FIRST_TOKEN_AFTER, read=seconds),
        Key("gen_ai.server.time_to_first_token", Field.FIRST_TOKEN_AFTER, read=seconds),
        Key("gen_ai.input.messages", Field.INPUT),
        Key("gen_ai.output.messages", Field.OUTPUT),
        Key("gen_ai.tool.call.arguments", Field.TOOL_INPUT),
        Key("gen_ai.tool.call.result", Field.TOOL_OUTPUT),
        Key("gen_ai.retrieval.query.text", Field.INPUT),
        Key("gen_ai.retrieval.documents", Field.OUTPUT),
    ),
)
