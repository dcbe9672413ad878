"""Costs: given ones win, known models are priced exactly, unknown ones cost nothing and say so."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice

from spanloom.spans.pricing.prices import Prices, TokenUsage
from tests.spans.reading.otlp_examples import PRICES, START, row

MODEL = {"gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o-mini-2024-07-18"}
TOKENS = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
USAGE = TokenUsage(1000, 100)
SONNET_ON_BEDROCK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def library_cost(model: str, provider: str, start: int, usage: TokenUsage) -> int:
    """What genai-prices itself says, in picodollars."""
    result = calc_price(
        Usage(
            input_tokens=usage.input,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=datetime.fromtimestamp(start / 1e9, UTC),
    )
    return round(result.total_price * 10**12)


def known_models() -> list[tuple[str, str]]:
    """Two models of each provider, and every model with tiers or several prices."""
    found = []
    for provider in get_snapshot().providers:
        for i, model in enumerate(provider.models):
            several = not isinstance(model.prices, ModelPrice)
            if i < 2 or several or "TieredPrices" in repr(model.prices):
                found.append((provider.id, model.id))
    return found


USAGES = [
    TokenUsage(0, 0),
    TokenUsage(1000, 100),
    TokenUsage(1000, 100, 400, 200),
    TokenUsage(200_000, 7, 100_000, 50_000),
    TokenUsage(200_001, 7, 100_000, 50_000),
    TokenUsage(3_000_000, 100_000, 1, 2),
]
TIMES = [START, 1_600_000_000_000_000_000, START + 43_200_000_000_000]


def test_prices_are_those_of_the_library() -> None:
    checked = 0
    for provider, model in known_models():
        for usage in USAGES:
            for start in TIMES:
                costs = PRICES.price(model, provider, start, usage)
                if costs is None:
                    continue
                try:
                    expected = library_cost(model, provider, start, usage)
                except (LookupError, ValueError):
                    continue
                assert abs(costs.total - expected) <= 2, (provider, model, usage, start)
                checked += 1
    assert checked > 1000


def test_a_tier_begins_above_its_start() -> None:
    below, above = (
        PRICES.price("gemini-2.5-pro", "google", START, TokenUsage(n, 0)) for n in (200_000, 200_001)
    )
    assert below is not None
    assert above is not None
    assert above.total > below.total * 1.9


def test_cached_tokens_beyond_the_input_make_nothing_negative() -> None:
    costs = PRICES.price("gpt-4o", "openai", START, TokenUsage(10, 0, 500, 0))
    assert costs is not None
    assert costs.input == 500 * 1_250_000


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai.chat", "gpt-4o"),
        ("OpenAI", "gpt-4o"),
        ("", "gpt-4o"),
        ("langchain", "gpt-4o"),
        ("azure.ai.openai", "gpt-4o"),
        ("az.ai.inference", "gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0"),
        ("gcp.vertex_ai", "gemini-2.5-pro"),
        ("gcp.gemini", "gemini-2.5-pro"),
        ("google.generative-ai", "gemini-2.5-pro"),
        ("x_ai", "grok-3"),
        ("azure_ai", "gpt-4o"),
        ("azure-openai", "gpt-4o"),
        ("AWS", "claude-3-5-sonnet-20241022-v2:0"),
        ("amazon-bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("google-vertex", "claude-sonnet-4-5@20250929"),
        ("mistral_ai", "mistral-small-latest"),
        ("togetherai", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("fireworks-ai", "accounts/fireworks/models/gpt-oss-120b"),
        ("zai", "glm-4.6"),
        # genai-prices 0.2.3 (PyPI): what `model_match` of its provider openai doesn't know
        ("", "text-embedding-3-small"),
        ("", "text-embedding-ada-002"),
        ("", "chatgpt-4o-latest"),
        ("", "text-davinci-003"),
    ],
)
def test_providers_by_many_names(provider: str, model: str) -> None:
    assert PRICES.price(model, provider, START, TokenUsage(1000, 100)) is not None


@pytest.mark.parametrize(
    ("provider", "model", "seller", "name"),
    [
        # A framework, client or proxy in the place of the seller.
        (
            "strands-agents",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("spring_ai", "gpt-4o", "openai", "gpt-4o"),
        ("semantic-kernel", "gpt-4o", "openai", "gpt-4o"),
        ("litellm_proxy", "openai/gpt-4o", "openai", "gpt-4o"),
        ("gcp.vertex.agent", "gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("fallback:openai,anthropic", "claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        # Who is named does not sell it.
        ("openai", "claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("openai", "anthropic/claude-3-5-sonnet-20241022", "anthropic", "claude-3-5-sonnet-20241022"),
        ("gateway", "gpt-4o", "openai", "gpt-4o"),
        # LiveKit's: the host that is asked.
        ("127.0.0.1:34471", "gpt-4o", "openai", "gpt-4o"),
        ("llm.example.com", "gpt-4o", "openai", "gpt-4o"),
        ("api.groq.com", "llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
        ("https://api.openai.com/v1", "gpt-4o", "openai", "gpt-4o"),
        # OpenLLMetry cuts off the maker and the region.
        ("aws.bedrock", "nova-lite-v1:0", "aws", "amazon.nova-lite-v1:0"),
        # LangChain4j's enumeration.
        ("OPEN_AI", "gpt-4o", "openai", "gpt-4o"),
        ("GOOGLE_AI_GEMINI", "gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("AMAZON_BEDROCK", "amazon.nova-lite-v1:0", "aws", "amazon.nova-lite-v1:0"),
    ],
)
def test_the_makers_price_holds(provider: str, model: str, seller: str, name: str) -> None:
    expected = PRICES.price(name, seller, START, USAGE)
    assert expected is not None
    assert PRICES.price(model, provider, START, USAGE) == expected


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model"),
        ("", "no-such-model"),
        ("", "text-embedding-3-of-mine"),
        ("my-own-server", "text-embedding-3-small"),
        ("my-own-server", "gpt-4o"),
        ("", ""),
        ("openai", "x" * 9999),
        # Open models, which anybody may serve.
        ("", "mistralai/Mistral-7B-Instruct-v0.3"),
        ("", "deepseek-ai/DeepSeek-V3"),
        ("", "openai/gpt-oss-120b"),
        ("openai", "gpt-oss-120b"),
        ("", "deepseek-r1-distill-llama-70b"),
        ("", "google/gemma-2-9b-it"),
        ("azure", "gpt-oss-120b"),
        ("ollama", "gpt-4o"),
        # Of an open model the gateway's price may be another than its maker's.
        ("gateway", "mistral/devstral-small"),
        # What nobody bills has no price.
        ("", "deepseek/deepseek-r1:free"),
        ("openrouter", "deepseek/deepseek-r1:free"),
        ("google", "gemini-2.5-flash:free"),
        ("gateway", "google/gemini-2.5-flash:free"),
        # Azure's price is another than DeepSeek's, and genai-prices has none.
        ("azure", "deepseek-r1"),
        # An application inference profile does not say of which model.
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef"),
        ("", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/claude"),
        ("", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdef"),
        # Names that somebody made up for a deployment, an endpoint or a tuned model.
        ("azure", "my-deployment"),
        ("azure.ai.openai", "prod-gpt4o"),
        ("openai", "gpt-4o-deployment"),
        ("gcp.vertex_ai", "projects/1/locations/us/endpoints/123"),
        ("gcp.gemini", "tunedModels/x"),
        ("fireworks", "accounts/me/deployedModels/abc"),
        # Tags of Ollama are no prefixes.
        ("", "mistral:7b"),
        ("", "llama3.1:8b"),
        ("ollama", "openai:gpt-4o"),
        # Open models behind a host.
        ("localhost:11434", "llama3.1:8b"),
        ("127.0.0.1:8000", "openai/gpt-oss-120b"),
        ("api.groq.com.evil.example.com", "llama-3.3-70b-versatile"),
    ],
)
def test_the_unknown_is_never_guessed(provider: str, model: str) -> None:
    assert PRICES.price(model, provider, START, TokenUsage(1000, 100)) is None


@pytest.mark.parametrize(
    ("provider", "model", "plain_provider", "plain_model"),
    [
        ("gcp.gemini", "models/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("", "models/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        (
            "gcp.vertex_ai",
            "projects/p/locations/us-east5/publishers/google/models/gemini-2.5-pro",
            "google",
            "gemini-2.5-pro",
        ),
        ("openai", "openai/gpt-4o", "openai", "gpt-4o"),
        ("", "openai/gpt-4o", "openai", "gpt-4o"),
        ("litellm", "OpenAI/gpt-4o", "openai", "gpt-4o"),
        ("azure", "azure/gpt-4o", "azure", "gpt-4o"),
        ("litellm", "vertex_ai/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("", "anthropic/claude-3-5-sonnet-20241022", "anthropic", "claude-3-5-sonnet-20241022"),
        ("", "google/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("gateway", "openai/gpt-4o", "openai", "gpt-4o"),
        ("gateway", "google/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("gateway", "anthropic/claude-sonnet-4.5", "anthropic", "claude-sonnet-4-5"),
        ("", "groq/llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
        ("", "openrouter/openai/gpt-4o", "openrouter", "openai/gpt-4o"),
        (
            "",
            "bedrock/converse/anthropic.claude-3-haiku-20240307-v1:0",
            "aws",
            "anthropic.claude-3-haiku-20240307-v1:0",
        ),
        (
            "",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "aws",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        ),
        ("openai", "gpt-5.2-20251211", "openai", "gpt-5.2-2025-12-11"),
        # Pydantic AI, LangChain, Agno.
        ("", "openai:gpt-4o", "openai", "gpt-4o"),
        ("openai", "openai:gpt-4o", "openai", "gpt-4o"),
        ("pydantic_ai", "anthropic:claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("", "google-gla:gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("", "bedrock:us.amazon.nova-pro-v1:0", "aws", "us.amazon.nova-pro-v1:0"),
        # ARNs of Bedrock that name the model, with the provider and without; and its IDs from a maker's client.
        *(
            (
                provider,
                f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{SONNET_ON_BEDROCK}",
                "aws",
                SONNET_ON_BEDROCK,
            )
            for provider in ("", "aws.bedrock", "strands-agents")
        ),
        (
            "",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
            "aws",
            "anthropic.claude-3-haiku-20240307-v1:0",
        ),
        ("anthropic", SONNET_ON_BEDROCK, "aws", SONNET_ON_BEDROCK),
        ("openai", "openai.gpt-oss-120b-1:0", "aws", "openai.gpt-oss-120b-1:0"),
        ("", "google.gemma-3-27b-it", "aws", "google.gemma-3-27b-it"),
        # Vertex AI, with and without the provider; a mark of the size of the context; OpenRouter's name of xAI.
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "google", "claude-sonnet-4-5"),
        ("", "claude-sonnet-4-5@20250929", "anthropic", "claude-sonnet-4-5"),
        ("gcp.vertex_ai", "gemini-2.5-pro@default", "google", "gemini-2.5-pro"),
        ("anthropic", "claude-sonnet-4-5[1m]", "anthropic", "claude-sonnet-4-5"),
        ("", "x-ai/grok-4", "x-ai", "grok-4"),
        ("azure", "gpt-35-turbo", "azure", "gpt-3.5-turbo"),
    ],
)
def test_models_by_many_names(provider: str, model: str, plain_provider: str, plain_model: str) -> None:
    usage = TokenUsage(1000, 100, 10, 10)
    plain = PRICES.price(plain_model, plain_provider, START, usage)
    assert plain is not None
    assert PRICES.price(model, provider, START, usage) == plain


def test_tokens_of_a_kind_that_has_no_price_are_not_free() -> None:
    assert PRICES.price("text-embedding-3-small", "openai", START, TokenUsage(0, 1000)) is None
    assert PRICES.price("text-embedding-3-small", "openai", START, TokenUsage(0, 0)) is not None


def test_a_fine_tuned_model_has_its_own_price() -> None:
    usage = TokenUsage(1_000_000, 0)
    base = PRICES.price("gpt-4o-2024-08-06", "openai", START, usage)
    tuned = PRICES.price("ft:gpt-4o-2024-08-06:shop::abc", "openai", START, usage)
    assert base is not None
    assert tuned is not None
    assert tuned.total > base.total


def usd(*dollars: str) -> tuple[int, ...]:
    return tuple(int(Decimal(amount) * 10**12) for amount in dollars)


def day(year: int, month: int, day_of_month: int, hour: int = 12) -> int:
    return int(datetime(year, month, day_of_month, hour, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("provider", "model", "start", "usage", "dollars"),
    [
        # Published prices, USD a million tokens. GPT-4o: 2.50 in, 1.25 from the cache, 10 out; writing is no extra.
        ("openai", "gpt-4o", START, TokenUsage(1_000_000, 100_000), ("2.5", "1")),
        ("openai", "gpt-4o", START, TokenUsage(1_000_000, 0, 400_000), ("2", "0")),
        ("openai", "gpt-4o", START, TokenUsage(1_000_000, 0, 0, 400_000), ("2.5", "0")),
        # Claude 3.5 Haiku: 0.80 in, 0.08 read, 1.00 written (for five minutes), 4 out.
        (
            "anthropic",
            "claude-3-5-haiku-20241022",
            START,
            TokenUsage(1_000_000, 100_000, 500_000, 300_000),
            ("0.5", "0.4"),
        ),
        # Gemini 2.5 Pro: 1.25 in, 0.125 read, 10 out; above 200,000 tokens of prompt 2.50, 0.25 and 15, for all.
        ("google", "gemini-2.5-pro", START, TokenUsage(200_000, 10_000, 100_000), ("0.1375", "0.1")),
        ("google", "gemini-2.5-pro", START, TokenUsage(400_000, 10_000, 100_000), ("0.775", "0.15")),
        # Claude Sonnet 4.5: 3 in, 0.30 read, 3.75 written, 15 out; above 200,000 tokens double, and 22.50.
        ("anthropic", "claude-sonnet-4-5", START, TokenUsage(100_000, 10_000, 0, 50_000), ("0.3375", "0.15")),
        ("anthropic", "claude-sonnet-4-5", START, TokenUsage(300_000, 10_000, 0, 100_000), ("1.95", "0.225")),
        # o3 was 10 in and 40 out until 2025-06-10, and 2 and 8 from then on.
        ("openai", "o3", day(2025, 5, 1), TokenUsage(1_000_000, 100_000), ("10", "4")),
        ("openai", "o3", day(2025, 7, 1), TokenUsage(1_000_000, 100_000), ("2", "0.8")),
        # DeepSeek's chat model cost half in the night (16:30 to 0:30 UTC).
        ("deepseek", "deepseek-chat", day(2025, 5, 1, 12), TokenUsage(1_000_000, 0), ("0.27", "0")),
        ("deepseek", "deepseek-chat", day(2025, 5, 1, 20), TokenUsage(1_000_000, 0), ("0.135", "0")),
        # Embeddings have no output.
        ("openai", "text-embedding-3-small", START, TokenUsage(1_000_000, 0), ("0.02", "0")),
    ],
)
def test_published_prices(
    provider: str, model: str, start: int, usage: TokenUsage, dollars: tuple[str, str]
) -> None:
    found = PRICES.price(model, provider, start, usage)
    assert found is not None
    assert (found.input, found.output) == usd(*dollars)
    assert found.total == found.input + found.output


def test_a_price_is_looked_up_once() -> None:
    prices = Prices()
    prices.price("gpt-4o", "openai", START, TokenUsage(1, 1))
    began = time.process_time()
    for i in range(10_000):
        prices.price("gpt-4o", "openai", START, TokenUsage(i, 1))
    assert time.process_time() - began < 0.5


def test_model_names_from_outside_do_not_fill_memory() -> None:
    prices = Prices()
    for i in range(5000):
        assert prices.price(f"model-{i}-xyz", "openai", START, TokenUsage(1, 1)) is None
    assert len(prices._models) <= 4096


def costs(attributes: dict[str, Any]) -> tuple[Any, ...]:
    found = row(attributes)
    return found["input_cost"], found["output_cost"], found["total_cost"], found["priced"]


class TestCosts:
    def test_computed(self) -> None:
        assert costs(MODEL | TOKENS) == (0.00015, 0.00006, 0.00021, 1)

    def test_with_cached_tokens(self) -> None:
        cached = {"gen_ai.usage.cache_read.input_tokens": 400}
        assert costs(MODEL | TOKENS | cached) == (0.00012, 0.00006, 0.00018, 1)

    def test_reasoning_is_part_of_the_output(self) -> None:
        assert costs(MODEL | TOKENS | {"gen_ai.usage.reasoning.output_tokens": 60}) == costs(MODEL | TOKENS)

    def test_with_tokens_written_to_a_cache(self) -> None:
        model = {
            "gen_ai.provider.name": "anthropic",
            "gen_ai.response.model": "claude-3-5-haiku-20241022",
            "gen_ai.usage.cache_creation.input_tokens": 500,
        }
        assert costs(model | TOKENS) == (0.0009, 0.0004, 0.0013, 1)

    def test_an_embedding_is_priced(self) -> None:
        embedding = {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 1000,
        }
        assert costs(embedding) == (0.00002, 0, 0.00002, 1)

    def test_unknown_models_cost_nothing_and_say_so(self) -> None:
        assert costs(MODEL | TOKENS | {"gen_ai.response.model": "mystery"}) == (0, 0, 0, 0)

    def test_without_tokens_the_cost_is_not_known(self) -> None:
        assert costs(MODEL) == (0, 0, 0, 0)

    def test_a_count_of_zero_means_that_nobody_knows(self) -> None:
        assert costs(MODEL | {"gen_ai.usage.input_tokens": 0}) == (0, 0, 0, 0)

    def test_a_cost_of_zero_beside_tokens_that_cost_is_none(self) -> None:
        assert costs(MODEL | TOKENS | {"gen_ai.usage.cost": 0}) == costs(MODEL | TOKENS)
        unknown = {"gen_ai.request.model": "my-own-model", "gen_ai.usage.cost": 0}
        assert costs(TOKENS | unknown) == (0, 0, 0, 1)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (
                {"gen_ai.usage.input_cost": 1, "gen_ai.usage.output_cost": 2.5, "gen_ai.usage.cost": 4},
                (1, 2.5, 4, 1),
            ),
            ({"gen_ai.usage.input_cost": "1", "gen_ai.usage.output_cost": "2"}, (1, 2, 3, 1)),
            ({"gen_ai.usage.cost": 4}, (0, 0, 4, 1)),
            ({"llm.cost.prompt": 1.0, "llm.cost.completion": 2.0, "llm.cost.total": 3.0}, (1, 2, 3, 1)),
            ({"langfuse.observation.cost_details": '{"input": 1, "output": 2, "total": 3}'}, (1, 2, 3, 1)),
            ({"operation.cost": 0.0013025}, (0, 0, 0.0013025, 1)),
            ({"operation.cost": 1, "gen_ai.usage.cost": 2}, (0, 0, 2, 1)),
            ({"llm.cost.total": 1, "gen_ai.usage.cost": 2}, (0, 0, 2, 1)),
        ],
    )
    def test_given_costs_win(self, given: dict[str, Any], expected: tuple[float, ...]) -> None:
        assert costs(MODEL | TOKENS | given) == expected

    @pytest.mark.parametrize("value", [-1, "nan", "inf", "free", 10**6, True, "", [1]])
    def test_invalid_costs_are_absent(self, value: Any) -> None:
        assert costs(MODEL | TOKENS | {"gen_ai.usage.cost": value}) == (0.00015, 0.00006, 0.00021, 1)

    def test_an_absurd_computed_cost_is_not_known(self) -> None:
        assert costs(MODEL | {"gen_ai.usage.input_tokens": 10**12}) == (0, 0, 0, 0)

    def test_costs_are_whole_picodollars(self) -> None:
        total = row({"gen_ai.usage.cost": 0.1234567890123456})["total_cost"]
        assert Decimal(repr(total)) == Decimal("0.123456789012")
