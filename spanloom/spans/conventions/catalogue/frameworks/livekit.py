"""LiveKit Agents: the words of a turn stand on spans around the call of the model."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import seconds
from spanloom.spans.conventions.usage_objects import usage_keys

CONVENTION = Convention(
    name="LiveKit Agents",
    source="livekit-agents 1.2 to 1.8 (PyPI): livekit/agents/telemetry/trace_types.py",
    keys=(
        *usage_keys("lk.llm_metrics"),
        *usage_keys("lk.realtime_model_metrics"),
        Key("gen_ai.usage.input_cached_tokens", Field.CACHE_READ_TOKENS),
        Key("lk.response.ttft", Field.FIRST_TOKEN_AFTER, read=seconds),
        Key("lk.pii.user_input", Field.INPUT),
        Key("lk.user_input", Field.INPUT),
        Key("lk.pii.user_transcript", Field.INPUT),
        Key("lk.user_transcript", Field.INPUT),
        Key("lk.pii.response.text", Field.OUTPUT),
        Key("lk.response.text", Field.OUTPUT),
        Key("lk.pii.function_tool.arguments", Field.TOOL_INPUT),
        Key("lk.function_tool.arguments", Field.TOOL_INPUT),
        Key("lk.pii.function_tool.output", Field.TOOL_OUTPUT),
        Key("lk.function_tool.output", Field.TOOL_OUTPUT),
    ),
)
