"""Logfire: what it writes besides OpenTelemetry's names.

A streamed call is a span that ends at once, without usage, and a log with all of it when the stream has ended, as a
span of no duration beside it. Its scrubber replaces values (`[Scrubbed due to 'session']`), `session.id` too.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice

CONVENTION = Convention(
    name="Logfire",
    source="logfire 5.4 (PyPI): logfire/_internal/constants.py, logfire/_internal/integrations/llm_providers/",
    keys=(
        # A log of a call, and what stands for a span that has not ended yet.
        Key("logfire.span_type", Field.COPY, read=choice({"log": "log", "pending_span": "pending_span"})),
    ),
)
