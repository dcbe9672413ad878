"""OpenLIT: its names for what OpenTelemetry had none for.

`gen_ai.client.token.usage` is no total: cached tokens and thoughts are left out of it, or counted twice.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import seconds

CONVENTION = Convention(
    name="OpenLIT",
    source="openlit 1.45 (PyPI) and 1.15 (npm): openlit/semcov/__init__.py",
    keys=(
        Key("gen_ai.session.id", Field.SESSION_ID),
        Key("gen_ai.user.id", Field.USER_ID),
        Key("gen_ai.usage.prompt_tokens_details.cache_read", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.prompt_tokens_details.cached_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.prompt_tokens_details.cache_creation_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.prompt_tokens_details.cache_write", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.completion_tokens_details.reasoning_tokens", Field.REASONING_TOKENS),
        Key("gen_ai.usage.completion_tokens_details.reasoning", Field.REASONING_TOKENS),
        Key("gen_ai.usage.prompt_tokens_details.audio_tokens", Field.INPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.completion_tokens_details.audio_tokens", Field.OUTPUT_AUDIO_TOKENS),
        Key("gen_ai.server.ttft", Field.FIRST_TOKEN_AFTER, read=seconds),
        Key("gen_ai.tool.args", Field.TOOL_INPUT),
        Key("gen_ai.tool.input", Field.TOOL_INPUT),
        Key("gen_ai.tool.output", Field.TOOL_OUTPUT),
        Key("deployment.environment", Field.ENVIRONMENT),
    ),
)
