"""Audio, images and caches of an hour: priced as the library prices them, wherever a span says how many there were."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloom.spans.pricing.rates import Rates, TokenParts, TokenUsage, parts_within
from tests.spans.reading.otlp_examples import PRICES, START, row

MILLION = 10**6
DOLLAR = 10**12

_MARKS = ("audio_mtok", "audio_read_mtok", "image_mtok", "image_read_mtok", "cache_write_1h_mtok")
MODELS = sorted(
    (provider.id, model.id)
    for provider in get_snapshot().providers
    for model in provider.models
    if any(f"{mark}=" in repr(model.prices).replace(f"{mark}=None", "") for mark in _MARKS)
)
"""Models of the library with a price for such a part."""

_FEW = st.integers(0, 30)
_COUNT = st.none() | _FEW | st.integers(0, MILLION)
_USAGES = st.builds(
    lambda fresh, read, write, output: TokenUsage(fresh + read + write, output, read, write),
    *[_FEW | st.integers(0, MILLION)] * 4,
)
EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "40")) * 5


@settings(max_examples=EXAMPLES * 5)
@given(_USAGES, st.tuples(*[_COUNT] * 7))
def test_parts_are_never_larger_than_what_they_are_part_of(
    usage: TokenUsage, stated: tuple[int | None, ...]
) -> None:
    parts = parts_within(usage, stated)
    assert min(parts) >= 0
    assert parts.input_audio + parts.input_image <= usage.input
    assert parts.cached_audio <= parts.input_audio
    assert parts.cached_image <= parts.input_image
    assert parts.cached_audio + parts.cached_image <= usage.cache_read
    assert parts.cache_write_1h <= usage.cache_write
    assert parts.output_audio + parts.output_image <= usage.output
    # What is read from a cache and no medium is text.
    media = parts.input_audio + parts.input_image
    text_read = usage.cache_read - parts.cached_audio - parts.cached_image
    assert text_read <= usage.input - media


@settings(max_examples=EXAMPLES)
@given(_USAGES, st.tuples(*[_COUNT] * 7))
def test_a_statement_that_fits_is_taken_as_it_is(usage: TokenUsage, stated: tuple[int | None, ...]) -> None:
    parts = parts_within(usage, stated)
    assert parts_within(usage, parts) == parts


def test_there_are_models_to_compare() -> None:
    assert len(MODELS) > 100
    assert {"openai", "google", "anthropic", "aws"} <= {provider for provider, _ in MODELS}


@settings(max_examples=EXAMPLES * 2)
@given(st.sampled_from(MODELS), _USAGES, st.tuples(*[_COUNT] * 7))
def test_parts_cost_what_the_library_says(
    names: tuple[str, str], usage: TokenUsage, stated: tuple[int | None, ...]
) -> None:
    provider, model = names
    # The library wants to know of tokens written to a cache of which medium they were; no sender tells.
    usage = usage._replace(input=usage.input - usage.cache_write, cache_write=0) if any(stated[:4]) else usage
    parts = parts_within(usage, stated)
    costs = PRICES.price(model, provider, START, usage._replace(parts=parts))
    if costs is None:
        return
    theirs = calc_price(
        Usage(
            input_tokens=usage.input,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write,
            input_audio_tokens=parts.input_audio,
            cache_audio_read_tokens=parts.cached_audio,
            input_image_tokens=parts.input_image,
            cache_image_read_tokens=parts.cached_image,
            cache_write_1h_tokens=parts.cache_write_1h,
            output_audio_tokens=parts.output_audio,
            output_image_tokens=parts.output_image,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=datetime.fromtimestamp(START / 1e9, UTC),
    )
    assert abs(costs.total - round(theirs.total_price * DOLLAR)) <= 2


@settings(max_examples=EXAMPLES)
@given(_USAGES, st.tuples(*[_COUNT] * 7))
def test_where_no_part_has_a_price_parts_change_nothing(
    usage: TokenUsage, stated: tuple[int | None, ...]
) -> None:
    rates = Rates(input=5, cache_read=1, cache_write=7, output=11)
    assert rates.costs(usage._replace(parts=parts_within(usage, stated))) == rates.costs(usage)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "parts", "dollars"),
    [
        # gpt-realtime: text 4 in and 16 out, audio 32 and 64, cached 0.40; images 5, cached 0.50.
        (
            "openai",
            "gpt-realtime",
            TokenUsage(1000, 1000),
            TokenParts(input_audio=400, output_audio=600),
            0.06,
        ),
        (
            "openai",
            "gpt-realtime",
            TokenUsage(MILLION, 0, MILLION),
            TokenParts(input_audio=MILLION, cached_audio=MILLION),
            0.4,
        ),
        (
            "openai",
            "gpt-realtime",
            TokenUsage(MILLION, 0, MILLION),
            TokenParts(input_image=MILLION, cached_image=MILLION),
            0.5,
        ),
        # Gemini 2.5 Flash: audio 1.00 instead of 0.30; its image model: images 30 instead of 2.50.
        ("google", "gemini-2.5-flash", TokenUsage(MILLION, 0), TokenParts(input_audio=MILLION), 1.0),
        ("google", "gemini-2.5-flash-image", TokenUsage(0, MILLION), TokenParts(output_image=MILLION), 30.0),
        # Claude Sonnet 4.5: written for five minutes 3.75, for an hour 6; above 200,000 tokens double.
        (
            "anthropic",
            "claude-sonnet-4-5",
            TokenUsage(100_000, 0, 0, 100_000),
            TokenParts(cache_write_1h=40_000),
            0.465,
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            TokenUsage(MILLION, 0, 0, MILLION),
            TokenParts(cache_write_1h=MILLION),
            12.0,
        ),
        # No price of its own: as text.
        (
            "openai",
            "gpt-4o",
            TokenUsage(MILLION, MILLION),
            TokenParts(input_audio=MILLION, output_audio=MILLION),
            12.5,
        ),
    ],
)
def test_published_prices(
    provider: str, model: str, usage: TokenUsage, parts: TokenParts, dollars: float
) -> None:
    found = PRICES.price(model, provider, START, usage._replace(parts=parts))
    assert found is not None
    assert found.total == round(dollars * DOLLAR)


REALTIME = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-realtime"}
CLAUDE = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
GEMINI = {"gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash"}
COUNTS = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 1000}
WRITTEN = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.cache_creation.input_tokens": 1000}
OPENAI = {
    "prompt_tokens": 1000,
    "completion_tokens": 1000,
    "total_tokens": 2000,
    "prompt_tokens_details": {"audio_tokens": 400, "cached_tokens": 0},
    "completion_tokens_details": {"audio_tokens": 600, "reasoning_tokens": 0},
}
LANGCHAIN = {
    "input_tokens": 1000,
    "output_tokens": 1000,
    "total_tokens": 2000,
    "input_token_details": {"audio": 400},
    "output_token_details": {"audio": 600},
}
LANGCHAIN_CLAUDE = {
    "input_tokens": 1000,
    "output_tokens": 0,
    "total_tokens": 1000,
    "input_token_details": {
        "cache_creation": 0,
        "ephemeral_5m_input_tokens": 600,
        "ephemeral_1h_input_tokens": 400,
    },
}
LANGFUSE = "langfuse.observation.usage_details"
# 600 text, 400 audio in; 400 text, 600 audio out.
SPOKEN = 600 * 4 + 400 * 32 + 400 * 16 + 600 * 64
# 600 for five minutes, 400 for an hour.
FOR_AN_HOUR = 600 * 3.75 + 400 * 6


@pytest.mark.parametrize(
    ("attributes", "cost"),
    [
        (
            COUNTS | {"gen_ai.usage.audio.input_tokens": 400, "gen_ai.usage.audio.output_tokens": 600},
            SPOKEN,
        ),
        (COUNTS | {"gen_ai.usage.input_audio_tokens": 400, "gen_ai.usage.output_audio_tokens": 600}, SPOKEN),
        (COUNTS | {"gen_ai.usage.audio_input_tokens": 400, "gen_ai.usage.audio_output_tokens": 600}, SPOKEN),
        (
            COUNTS
            | {
                "gen_ai.usage.input_token_details.audio_tokens": 400,
                "gen_ai.usage.output_token_details.audio_tokens": 600,
            },
            SPOKEN,
        ),
        (
            COUNTS
            | {
                "gen_ai.usage.prompt_tokens_details.audio_tokens": 400,
                "gen_ai.usage.completion_tokens_details.audio_tokens": 600,
            },
            SPOKEN,
        ),
        (
            COUNTS
            | {
                "gen_ai.usage.details.input_audio_tokens": 400,
                "gen_ai.usage.details.output_audio_tokens": 600,
            },
            SPOKEN,
        ),
        (
            {
                "llm.token_count.prompt": 1000,
                "llm.token_count.completion": 1000,
                "llm.token_count.prompt_details.audio": 400,
                "llm.token_count.completion_details.audio": 600,
            },
            SPOKEN,
        ),
        (
            COUNTS
            | {
                "gen_ai.usage.input_token_details": str({"audio": 400, "cache_read": 0}),
                "gen_ai.usage.output_token_details": str({"audio": 600, "reasoning": 0}),
            },
            SPOKEN,
        ),
        ({"langsmith.metadata.usage_metadata": json.dumps(LANGCHAIN)}, SPOKEN),
        ({"llm.openai.usage": str(OPENAI)}, SPOKEN),
        ({LANGFUSE: json.dumps(OPENAI)}, SPOKEN),
        # Langfuse's parts are disjoint.
        (
            {LANGFUSE: json.dumps({"input": 600, "input_audio": 400, "output": 400, "output_audio": 600})},
            SPOKEN,
        ),
        (
            {
                LANGFUSE: json.dumps(
                    {"input": 600, "input_audio_tokens": 400, "output": 400, "output_audio_tokens": 600}
                )
            },
            SPOKEN,
        ),
        # Cached audio: 300 of 500 cached tokens.
        (
            {
                "lk.realtime_model_metrics": json.dumps(
                    {
                        "input_tokens": 1000,
                        "output_tokens": 0,
                        "total_tokens": 1000,
                        "input_token_details": {
                            "audio_tokens": 400,
                            "text_tokens": 600,
                            "cached_tokens": 500,
                            "cached_tokens_details": {"audio_tokens": 300, "text_tokens": 200},
                        },
                    }
                )
            },
            400 * 4 + 100 * 32 + 500 * 0.4,
        ),
        # Zeros, as most senders write them, and audio beyond what there is.
        (
            COUNTS | {"gen_ai.usage.audio.input_tokens": 0, "gen_ai.usage.audio.output_tokens": 0},
            1000 * 4 + 1000 * 16,
        ),
        (COUNTS | {"gen_ai.usage.audio.input_tokens": 5000}, 1000 * 32 + 1000 * 16),
    ],
)
def test_audio_is_read_wherever_it_is_told(attributes: dict[str, Any], cost: float) -> None:
    found = row(REALTIME | attributes)
    assert round(found["total_cost"] * DOLLAR) == cost * MILLION
    assert found["input_tokens"] == 1000


@pytest.mark.parametrize(
    "attributes",
    [
        WRITTEN | {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 400},
        WRITTEN | {"gen_ai.usage.cache_creation.1h_input_tokens": 400},
        WRITTEN | {"gen_ai.usage.details.ephemeral_1h_input_tokens": 400},
        {"gen_ai.usage.input_tokens": 1000}
        | {"gen_ai.usage.input_token_details": str(LANGCHAIN_CLAUDE["input_token_details"])},
        {"langsmith.metadata.usage_metadata": json.dumps(LANGCHAIN_CLAUDE)},
        {
            LANGFUSE: json.dumps(
                {
                    "input": 0,
                    "input_cache_creation": 0,
                    "input_ephemeral_5m_input_tokens": 600,
                    "input_ephemeral_1h_input_tokens": 400,
                    "output": 0,
                }
            )
        },
        {
            LANGFUSE: json.dumps(
                {
                    "input": 0,
                    "output": 0,
                    "cache_creation_input_tokens": 1000,
                    "cache_creation_ephemeral_5m_input_tokens": 600,
                    "cache_creation_ephemeral_1h_input_tokens": 400,
                }
            )
        },
        {
            "mlflow.chat.tokenUsage": json.dumps(
                {
                    "input_tokens": 1000,
                    "output_tokens": 0,
                    "total_tokens": 1000,
                    "cache_creation_input_tokens": 1000,
                    "cache_creation_input_tokens_above_1hr": 400,
                }
            )
        },
        {
            "ai.response.providerMetadata": json.dumps(
                {
                    "anthropic": {
                        "usage": {
                            "input_tokens": 0,
                            "output_tokens": 0,
                            "cache_creation_input_tokens": 1000,
                            "cache_read_input_tokens": 0,
                            "cache_creation": {
                                "ephemeral_5m_input_tokens": 600,
                                "ephemeral_1h_input_tokens": 400,
                            },
                        }
                    }
                }
            )
        },
        {
            "ai.response.providerMetadata": json.dumps(
                {
                    "bedrock": {
                        "usage": {
                            "inputTokens": 0,
                            "outputTokens": 0,
                            "totalTokens": 1000,
                            "cacheWriteInputTokens": 1000,
                            "cacheDetails": [
                                {"ttl": "5m", "inputTokens": 600},
                                {"ttl": "1h", "inputTokens": 400},
                            ],
                        }
                    }
                }
            )
        },
    ],
)
def test_caches_of_an_hour_are_read_wherever_they_are_told(attributes: dict[str, Any]) -> None:
    found = row(CLAUDE | attributes)
    assert (found["input_tokens"], found["cache_write_tokens"]) == (1000, 1000)
    assert round(found["total_cost"] * DOLLAR) == FOR_AN_HOUR * MILLION


GEMINIS = {
    "prompt_token_count": 1000,
    "candidates_token_count": 0,
    "total_token_count": 1000,
    "cached_content_token_count": 500,
    "prompt_tokens_details": [
        {"modality": "TEXT", "token_count": 600},
        {"modality": "AUDIO", "token_count": 400},
    ],
    "cache_tokens_details": [
        {"modality": "AUDIO", "token_count": 300},
        {"modality": "TEXT", "token_count": 200},
    ],
}


def in_camel_case(text: str) -> str:
    """JSON with its names as the REST API writes them."""
    return re.sub(r"(?<=[a-z])_([a-z])", lambda found: found[1].upper(), text)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gcp.vertex.agent.llm_response": json.dumps({"usage_metadata": GEMINIS})},
        {"ai.response.providerMetadata": in_camel_case(json.dumps({"google": {"usage_metadata": GEMINIS}}))},
    ],
)
def test_gemini_tells_media_in_lists(attributes: dict[str, Any]) -> None:
    found = row(GEMINI | attributes)
    # Text 0.30, audio 1.00, from the cache a tenth of it.
    expected = 400 * 0.3 + 100 * 1.0 + 200 * 0.03 + 300 * 0.1
    assert round(found["total_cost"] * DOLLAR) == round(expected * MILLION)


def test_parts_are_no_columns_and_no_tokens_of_their_own() -> None:
    plain, spoken = row(REALTIME | COUNTS), row(REALTIME | COUNTS | {"gen_ai.usage.audio.input_tokens": 400})
    assert {name for name in plain if plain[name] != spoken[name]} == {
        "input_cost",
        "total_cost",
        "attributes",
    }
    alone = row(REALTIME | {"gen_ai.usage.audio.input_tokens": 400})
    assert (alone["span_type"], alone["input_tokens"], alone["priced"]) == ("DEFAULT", 0, 0)
