"""Strands Agents: names that its releases of 2025 made up; texts are events."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key

CONVENTION = Convention(
    name="Strands Agents",
    source="strands-agents 1.62 (PyPI): strands/telemetry/tracer.py",
    keys=(Key("gen_ai.usage.cache_write_input_tokens", Field.CACHE_WRITE_TOKENS),),
)
