"""Google's Agent Development Kit, versions 1 and 2, by its own spans."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.usage_objects import usage_keys

RESPONSE = "gcp.vertex.agent.llm_response"

CONVENTION = Convention(
    name="Google ADK",
    source="google-adk 1.39 and 2.13 (PyPI): google/adk/telemetry/tracing.py",
    keys=(
        Key("gcp.vertex.agent.session_id", Field.SESSION_ID),
        # Gemini counts what it thought beside its answer, and version 1 hands that through.
        *usage_keys(RESPONSE),
        Key("gen_ai.usage.experimental.reasoning_tokens", Field.REASONING_TOKENS),
        Key("gcp.vertex.agent.llm_request", Field.INPUT),
        Key(RESPONSE, Field.OUTPUT),
        Key("gcp.vertex.agent.tool_call_args", Field.TOOL_INPUT),
        Key("gcp.vertex.agent.tool_response", Field.TOOL_OUTPUT),
    ),
)
