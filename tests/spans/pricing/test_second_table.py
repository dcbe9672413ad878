"""Every model of the recordings and of two public price tables has a price or is marked unpriced, and is never free;
and each price that differs from the second table's has been reviewed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from genai_prices.data_snapshot import get_snapshot

from spanloom.spans.pricing.rates import TokenUsage
from tests.spans.pricing import second_table
from tests.spans.reading.otlp_examples import PRICES, START, read, row, rows

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = sorted(
    {path.parent for folder in ("captures", "reports") for path in ROOT.glob(f"{folder}/*/*.otlp.pb")}
)

VERDICTS = ("ours is wrong", "theirs is wrong", "both are right", "not known")


def is_never_free(provider: str, model: str) -> bool:
    """Whether a call with tokens costs something, or has no known cost."""
    for call in (TokenUsage(1000, 1000), TokenUsage(1000, 0), TokenUsage(1000, 0, 1000)):
        costs = PRICES.price(model, provider, START, call)
        if costs is not None and costs.total <= 0:
            return False
    return True


def test_no_model_of_a_public_table_is_free() -> None:
    names = [*second_table.names()]
    for seller in get_snapshot().providers:
        names += [(seller.id, model.id) for model in seller.models]
    assert len(names) > 2500
    assert [name for name in names if not is_never_free(*name)] == []
    # Nor by its name alone, nor behind a gateway or a framework.
    models = {model for _, model in names}
    for provider in ("", "gateway", "openrouter", "langchain", "openai", "no-such-seller"):
        assert [model for model in models if not is_never_free(provider, model)] == [], provider


@pytest.mark.parametrize(
    "names", [names for names in second_table.names() if names[0] in ("openai", "anthropic")]
)
def test_a_span_of_a_large_maker_is_priced_or_says_that_it_is_not(names: tuple[str, str]) -> None:
    provider, model = names
    found = row(
        {
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100,
        }
    )
    assert (found["total_cost"] > 0) == bool(found["priced"])


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_call_of_a_recording_is_free(recording: Path) -> None:
    calls = 0
    for path in sorted(recording.glob("*.otlp.pb")):
        for found in rows(read(path.read_bytes())):
            tokens = found["input_tokens"] + found["output_tokens"]
            if found["span_type"] in ("LLM", "EMBEDDING") and tokens:
                calls += 1
                assert (found["total_cost"] > 0) == bool(found["priced"]), (found["provider"], found["model"])
    # OpenInference writes no usage of DSPy's calls.
    assert calls or recording.parent.name == "reports" or recording.name == "py-dspy"


def test_every_difference_from_the_second_table_has_been_reviewed() -> None:
    groups = second_table.reviewed()
    listed = Counter(line for group in groups for line in group["differences"])
    assert [line for line, times in listed.items() if times > 1] == []
    now = set(second_table.differences())
    assert sorted(now - set(listed)) == [], "new: review each, and list it with a reason"
    assert sorted(set(listed) - now) == [], "gone: take them off the list"


def test_every_group_says_who_is_wrong_and_why() -> None:
    for group in second_table.reviewed():
        assert group.keys() == {"verdict", "reason", "differences"}
        assert group["verdict"] in VERDICTS
        assert len(group["reason"]) > 20
        assert group["differences"]
