"""The comparison with LiteLLM's table: which entries are compared, under which names, and what comes out."""

from __future__ import annotations

from typing import Any

from benchmarks.price_coverage import compare, listed
from spanloom.spans.pricing.price_table import PriceTable
from spanloom.spans.pricing.prices import Prices


def entry(provider: str, mode: str = "chat", **prices: Any) -> dict[str, Any]:
    usd = {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}
    return {"litellm_provider": provider, "mode": mode} | usd | prices


def names(table: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    return [(model.provider, model.model) for model in listed(table)]


def test_models_are_asked_for_as_a_span_names_them() -> None:
    assert names(
        {
            "gpt-x": entry("openai"),
            "azure/gpt-x": entry("azure"),
            "vertex_ai/gemini-x": entry("vertex_ai-language-models"),
            "us.anthropic.claude-x-v1:0": entry("bedrock_converse"),
            "xai/grok-x": entry("xai"),
            "together_ai/meta/llama-x": entry("together_ai"),
            "nobody/model-x": entry("nobody"),
        }
    ) == [
        ("openai", "gpt-x"),
        ("azure.ai.openai", "gpt-x"),
        ("gcp.vertex_ai", "gemini-x"),
        ("aws.bedrock", "us.anthropic.claude-x-v1:0"),
        ("x_ai", "grok-x"),
        ("together_ai", "meta/llama-x"),
        ("nobody", "model-x"),
    ]


def test_what_is_not_comparable_is_left_out() -> None:
    assert (
        names(
            {
                "sample_spec": {"mode": "one of: chat, …", "litellm_provider": "one of …"},
                "image-x": entry("openai", "image_generation"),
                "free-x": entry("openai", input_cost_per_token=0, output_cost_per_token=0),
                "azure/eu/gpt-x": entry("azure"),
                "bedrock/us-west-2/1-month-commitment/anthropic.claude-x": entry("bedrock"),
            }
        )
        == []
    )
    assert names({"openai/gpt-x": entry("openai"), "gpt-x": entry("openai")}) == [("openai", "gpt-x")]


def test_prices_agree_to_a_percent_without_what_a_request_costs() -> None:
    prices = Prices(
        PriceTable(
            [
                {"model": "same", "input": 1.009, "output": 2},
                {"model": "dearer", "input": 1.02, "output": 2},
            ]
        )
    )
    table = {name: entry("nobody") for name in ("same", "dearer", "missing")}
    found = compare(listed(table), prices, 0)["nobody"]
    assert (found.count, found.found, found.same, found.missing) == (3, 2, ["same"], ["missing"])
    assert found.different == ["dearer: ours 1.02/2, LiteLLM's 1/2"]
    # Perplexity asks for each request besides.
    sonar = {"sonar": entry("perplexity", input_cost_per_token=1e-06, output_cost_per_token=1e-06)}
    assert compare(listed(sonar), Prices(), 1_790_000_000 * 10**9)["perplexity"].same == ["sonar"]
