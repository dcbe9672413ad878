"""The keys of parts of the tokens that have a price of their own, the best first."""

from __future__ import annotations

from collections.abc import Mapping

from spanloom.spans.conventions.fields import Field

_OBJECTS = (
    "langsmith.metadata.usage_metadata",
    "langsmith.usage_metadata",
    "mlflow.chat.tokenUsage",
    "gcp.vertex.agent.llm_response",
    "lk.llm_metrics",
    "lk.realtime_model_metrics",
    "ai.response.providerMetadata",
    "langfuse.observation.usage_details",
    "genkit:output",
    "llm.*.usage",
)
"""Attributes that hold usage objects, which may have any of them."""

PARTS: Mapping[Field, tuple[str, ...]] = {
    Field.INPUT_AUDIO_TOKENS: (
        "gen_ai.usage.audio.input_tokens",
        "gen_ai.usage.input_audio_tokens",
        "gen_ai.usage.audio_input_tokens",
        "gen_ai.usage.input_token_details.audio_tokens",
        "gen_ai.usage.prompt_tokens_details.audio_tokens",
        "gen_ai.usage.input_token_details",
        "gen_ai.usage.details.input_audio_tokens",
        "gen_ai.usage.details.audio_prompt_tokens",
        "llm.token_count.prompt_details.audio",
        *_OBJECTS,
    ),
    Field.CACHED_AUDIO_TOKENS: (
        "gen_ai.usage.audio.cache_read.input_tokens",
        "gen_ai.usage.input_token_details.cached_tokens_details.audio_tokens",
        "gen_ai.usage.details.cache_audio_read_tokens",
        "gen_ai.usage.details.audio_cache_tokens",
        *_OBJECTS,
    ),
    Field.INPUT_IMAGE_TOKENS: (
        "gen_ai.usage.image.input_tokens",
        "gen_ai.usage.input_token_details.image_tokens",
        "gen_ai.usage.details.image_prompt_tokens",
        *_OBJECTS,
    ),
    Field.CACHED_IMAGE_TOKENS: (
        "gen_ai.usage.image.cache_read.input_tokens",
        "gen_ai.usage.input_token_details.cached_tokens_details.image_tokens",
        "gen_ai.usage.details.image_cache_tokens",
        *_OBJECTS,
    ),
    Field.CACHE_WRITE_1H_TOKENS: (
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.cache_creation.1h_input_tokens",
        "gen_ai.usage.input_token_details",
        "gen_ai.usage.details.ephemeral_1h_input_tokens",
        *_OBJECTS,
    ),
    Field.OUTPUT_AUDIO_TOKENS: (
        "gen_ai.usage.audio.output_tokens",
        "gen_ai.usage.output_audio_tokens",
        "gen_ai.usage.audio_output_tokens",
        "gen_ai.usage.output_token_details.audio_tokens",
        "gen_ai.usage.completion_tokens_details.audio_tokens",
        "gen_ai.usage.output_token_details",
        "gen_ai.usage.details.output_audio_tokens",
        "gen_ai.usage.details.audio_candidates_tokens",
        "llm.token_count.completion_details.audio",
        *_OBJECTS,
    ),
    Field.OUTPUT_IMAGE_TOKENS: (
        "gen_ai.usage.image.output_tokens",
        "gen_ai.usage.output_token_details.image_tokens",
        "gen_ai.usage.details.image_candidates_tokens",
        *_OBJECTS,
    ),
    Field.COMPACTION_INPUT_TOKENS: ("anthropic.usage.compaction.input_tokens",),
    Field.COMPACTION_OUTPUT_TOKENS: ("anthropic.usage.compaction.output_tokens",),
}
