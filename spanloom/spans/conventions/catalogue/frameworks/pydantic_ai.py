"""Pydantic AI with Logfire: OpenTelemetry's names, and a few of its own."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key

CONVENTION = Convention(
    name="Pydantic AI",
    source="pydantic-ai 2 (PyPI): pydantic_ai/models/instrumented.py",
    keys=(
        Key("gen_ai.usage.details.cache_read_tokens", Field.CACHE_READ_TOKENS),
        Key("gen_ai.usage.details.cache_write_tokens", Field.CACHE_WRITE_TOKENS),
        Key("gen_ai.usage.details.reasoning_tokens", Field.REASONING_TOKENS),
        Key("operation.cost", Field.TOTAL_COST),
    ),
)
