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
        # Its own names, those of Gemini's modalities, and Anthropic's.
        Key("gen_ai.usage.details.input_audio_tokens", Field.INPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.details.audio_prompt_tokens", Field.INPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.details.cache_audio_read_tokens", Field.CACHED_AUDIO_TOKENS),
        Key("gen_ai.usage.details.audio_cache_tokens", Field.CACHED_AUDIO_TOKENS),
        Key("gen_ai.usage.details.image_prompt_tokens", Field.INPUT_IMAGE_TOKENS),
        Key("gen_ai.usage.details.image_cache_tokens", Field.CACHED_IMAGE_TOKENS),
        Key("gen_ai.usage.details.ephemeral_1h_input_tokens", Field.CACHE_WRITE_1H_TOKENS),
        Key("gen_ai.usage.details.output_audio_tokens", Field.OUTPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.details.audio_candidates_tokens", Field.OUTPUT_AUDIO_TOKENS),
        Key("gen_ai.usage.details.image_candidates_tokens", Field.OUTPUT_IMAGE_TOKENS),
        Key("operation.cost", Field.TOTAL_COST),
    ),
)
