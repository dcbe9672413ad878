"""Bare names: what programs write that follow nobody, and what several small instrumentations share. They come last."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import unquoted

CONVENTION = Convention(
    name="Bare names",
    source="programs' own attributes; langchain4j-observation 1.x (Maven) and Claude Code 2.1 for the counts",
    keys=(
        Key("session_id", Field.SESSION_ID),
        Key("sessionId", Field.SESSION_ID),
        Key("thread_id", Field.SESSION_ID),
        Key("conversation_id", Field.SESSION_ID),
        Key("user_id", Field.USER_ID),
        Key("model", Field.MODEL, read=unquoted),
        Key("input_tokens", Field.INPUT_TOKENS),
        Key("output_tokens", Field.OUTPUT_TOKENS),
        Key("total_tokens", Field.TOTAL_TOKENS),
    ),
)
