"""Claude Code's own spans: bare names, and tokens as Anthropic's API counts them, what was cached beside the input.

Newer ones (2.1.332 has them) state OpenTelemetry's names as well, with what was cached inside the input.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice, identity, milliseconds

SPAN_TYPES = {
    f"{prefix}{name}": kind
    for prefix in ("", "claude_code.")
    for name, kind in {"llm_request": "LLM", "tool": "TOOL", "interaction": "AGENT"}.items()
}

CONVENTION = Convention(
    name="Claude Code",
    source="https://code.claude.com/docs/en/monitoring-usage (Claude Code 2.1)",
    keys=(
        Key("span.type", Field.SPAN_TYPE, read=choice(SPAN_TYPES)),
        Key("cache_read_tokens", Field.CACHE_READ_TOKENS, beside="input_tokens"),
        Key("cache_creation_tokens", Field.CACHE_WRITE_TOKENS, beside="input_tokens"),
        Key("ttft_ms", Field.FIRST_TOKEN_AFTER, read=milliseconds),
        # `<REDACTED>` unless the user asked for their prompts to be recorded.
        Key("user_prompt", Field.INPUT, read=identity),
        Key("response.model_output", Field.OUTPUT, read=identity),
        Key("new_context", Field.INPUT, read=identity),
        Key("tool_input", Field.TOOL_INPUT, read=identity),
    ),
)
