"""How many of the models in LiteLLM's public price table spanloom knows a price for, and how many of the prices agree.

`python -m benchmarks.price_coverage FILE`, where FILE is `litellm/model_prices_and_context_window_backup.json` out of
the package `litellm` (`pip download --no-deps litellm` and unzip it: nothing of it is installed or used).

Each model is asked for as a span would name it: by the provider's name in OpenTelemetry's registry and by the model
without LiteLLM's own prefix. Counted are models that take text and are paid by the token: the modes chat, responses,
completion and embedding with a price above 0. Entries that name a region or another part of a contract that no span
tells are left out, and so are entries that only repeat another one under LiteLLM's prefix.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from spanloom.spans.pricing.prices import Prices, TokenUsage
from spanloom.spans.table import PICODOLLARS

MODES = frozenset({"chat", "responses", "completion", "embedding"})

PROVIDERS = {
    # LiteLLM's names, and what a span has in gen_ai.provider.name; others are looked up under LiteLLM's own.
    "openai": "openai",
    "text-completion-openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "bedrock_mantle": "aws.bedrock",
    "mistral": "mistral_ai",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "xai": "x_ai",
    "vercel_ai_gateway": "gateway",
}

FAMILY = re.compile(r"(vertex_ai|fireworks_ai)-.*")
"""LiteLLM splits some providers: `vertex_ai-language-models` is Vertex AI."""

REGION = re.compile(
    r"(?:[a-z]{2}(?:-gov)?-[a-z]+-\d|eu|us|apac|global|global-standard|data-zone|regional|us-gov|"
    r"\d-month-commitment|\*|\d+-x-\d+)"
)
"""A part of LiteLLM's name that is a region or a form of contract."""

AGREE = 0.01
"""Two prices that differ by no more than this part of the larger one are the same."""


class Listed(NamedTuple):
    """A model of LiteLLM's table, as a span names it; prices in USD a million tokens."""

    group: str
    provider: str
    model: str
    input: float
    output: float


@dataclass
class Outcome:
    """What was found of the models of one provider."""

    missing: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Models in LiteLLM's table."""
        return len(self.missing) + len(self.same) + len(self.different)

    @property
    def found(self) -> int:
        """Models that spanloom has a price for."""
        return len(self.same) + len(self.different)


def listed(table: dict[str, dict[str, Any]]) -> Iterator[Listed]:
    """The models of LiteLLM's table that are compared, each once."""
    seen = set()
    for name, entry in table.items():
        litellm_provider = entry.get("litellm_provider") or ""
        input_price, output_price = (
            float(entry.get(key) or 0) * 1e6 for key in ("input_cost_per_token", "output_cost_per_token")
        )
        if entry.get("mode") not in MODES or not litellm_provider or not (input_price or output_price):
            continue
        family = FAMILY.fullmatch(litellm_provider)
        group = family[1] if family else litellm_provider
        parts = name.split("/")
        if len(parts) > 1 and parts[0] in (group, litellm_provider, group.partition("_")[0], "cohere"):
            parts = parts[1:]
        if any(REGION.fullmatch(part) for part in parts[:-1]):
            continue
        found = Listed(group, PROVIDERS.get(group, group), "/".join(parts), input_price, output_price)
        if found[1:3] not in seen:
            seen.add(found[1:3])
            yield found


def compare(models: Iterator[Listed], prices: Prices, at: int) -> dict[str, Outcome]:
    """The outcome for each of LiteLLM's providers, with the prices as of `at` (nanoseconds since the epoch)."""
    outcomes: dict[str, Outcome] = defaultdict(Outcome)
    for model in models:
        outcome = outcomes[model.provider]
        ours = [
            _per_million(model, prices, at, tokens)
            for tokens in (((1000, 0), (0, 0)), ((1000, 1000), (1000, 0)))
        ]
        if ours[0] is None or ours[1] is None:
            outcome.missing.append(model.model)
        elif _agree(ours[0], model.input) and _agree(ours[1], model.output):
            outcome.same.append(model.model)
        else:
            outcome.different.append(
                f"{model.model}: ours {ours[0]:g}/{ours[1]:g}, LiteLLM's {model.input:g}/{model.output:g}"
            )
    return dict(outcomes)


def _per_million(
    model: Listed, prices: Prices, at: int, calls: tuple[tuple[int, int], tuple[int, int]]
) -> float | None:
    """USD a million of the tokens by which two calls differ, in prompts too short for any tier and without what each
    request costs."""
    some, none = (prices.price(model.model, model.provider, at, TokenUsage(*counts)) for counts in calls)
    return None if some is None or none is None else (some.total - none.total) / PICODOLLARS * 1000


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= AGREE * max(one, other)


def main() -> None:
    """Print a table by provider, the largest first; `--list` adds the models that are missing or differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="LiteLLM's JSON file")
    parser.add_argument("--list", metavar="PROVIDER", help="list what is missing or differs at this provider")
    options = parser.parse_args()
    outcomes = compare(listed(json.loads(options.file.read_text())), Prices(), time.time_ns())
    print(f"{'provider':<24} {'models':>6} {'found':>6} {'same price':>10}")
    total = Outcome()
    for name, outcome in sorted(outcomes.items(), key=lambda pair: -pair[1].count):
        print(f"{name:<24} {outcome.count:>6} {outcome.found:>6} {len(outcome.same):>10}")
        total.missing += outcome.missing
        total.same += outcome.same
        total.different += outcome.different
    print(f"{'all':<24} {total.count:>6} {total.found:>6} {len(total.same):>10}")
    if options.list in outcomes:
        print("\nmissing:", *sorted(outcomes[options.list].missing), sep="\n  ")
        print("different:", *sorted(outcomes[options.list].different), sep="\n  ")


if __name__ == "__main__":
    main()
