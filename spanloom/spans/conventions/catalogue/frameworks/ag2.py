"""AG2 (AutoGen's successor): what it used is told once more by a span beside the call.

Of the kinds of usage only `model_call` repeats a call's; `compaction` and `aggregation` are calls without a span of
their own.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice

CONVENTION = Convention(
    name="AG2",
    source="ag2 1.2 (PyPI): autogen/beta/middleware/builtin/telemetry.py",
    keys=(
        Key("ag2.usage.kind", Field.COPY, read=choice({"model_call": "usage"})),
        Key("ag2.usage.total_tokens", Field.TOTAL_TOKENS),
        Key("gen_ai.usage.thinking_tokens", Field.REASONING_TOKENS),
    ),
)
