"""The metric of spans without a price: what counts, and that strangers' names can't make it grow."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from spanloom.agents.stages.unpriced import MAX_PAIRS, OTHER, UnpricedSpans
from tests.warehouse.tables import spans

CALL = {"span_type": "LLM", "provider": "mine", "model": "m-1", "input_tokens": 10}


class Counted:
    """The metric, and what it shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.unpriced = UnpricedSpans(
            Counter("unpriced", "For the test.", ["provider", "model"], registry=self.registry)
        )

    def add(self, *given: dict[str, Any]) -> Counted:
        self.unpriced.count(spans(*given))
        return self

    def shown(self) -> dict[tuple[str, str], float]:
        return {
            (sample.labels["provider"], sample.labels["model"]): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }


def test_calls_are_counted_by_provider_and_model() -> None:
    counted = Counted().add(CALL, CALL, CALL | {"model": "m-2"}).add(CALL)
    assert counted.shown() == {("mine", "m-1"): 3, ("mine", "m-2"): 1}


@pytest.mark.parametrize(
    "differs",
    [
        {"priced": 1},
        {"input_tokens": 0},
        {"model": ""},
        {"span_type": "AGENT"},
        {"span_type": "CHAIN"},
    ],
)
def test_what_has_a_price_or_no_tokens_or_wraps_calls_does_not_count(differs: dict[str, Any]) -> None:
    assert Counted().add(CALL | differs).shown() == {}


@pytest.mark.parametrize("kind", ["LLM", "EMBEDDING", "RERANKER", "DEFAULT"])
def test_every_kind_of_call_counts(kind: str) -> None:
    call = CALL | {"span_type": kind, "provider": "", "input_tokens": 0, "output_tokens": 1}
    assert Counted().add(call).shown() == {("", "m-1"): 1}


def test_a_table_without_spans_is_nothing() -> None:
    counted = Counted()
    counted.unpriced.count(spans(CALL).slice(0, 0))
    assert counted.shown() == {}


def test_names_from_outside_are_bounded_in_number() -> None:
    counted = Counted()
    for batch in range(10):
        counted.add(*(CALL | {"model": f"m-{batch}-{number}"} for number in range(50)))
    counted.add(CALL | {"model": "m-0-0"})
    shown = counted.shown()
    assert len(shown) == MAX_PAIRS // 2 + 1
    assert shown[OTHER, OTHER] == 500 - MAX_PAIRS // 2
    assert sum(shown.values()) == 501


def test_no_project_takes_the_room_of_another() -> None:
    counted = Counted()
    for project in range(200):
        counted.add(
            *(CALL | {"project_id": f"p{project}", "model": f"{project}-{number}"} for number in range(100))
        )
        if project < 5:
            assert ("mine", f"{project}-0") in counted.shown()
    shown = counted.shown()
    assert len(shown) <= MAX_PAIRS + 1
    assert sum(shown.values()) == 20_000


@pytest.mark.parametrize(
    "name",
    [
        "my card is 4111 1111 1111 1111",
        "x" * 65,
        "line\nbreak",
        "<script>",
        "{}",
        '"',
        "é",
        "-x",
        "\x00",
        "a b",
    ],
)
@pytest.mark.parametrize("label", ["model", "provider"])
def test_what_looks_like_no_name_is_not_shown(name: str, label: str) -> None:
    assert Counted().add(CALL | {label: name}).shown() == {(OTHER, OTHER): 1}


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "Qwen/Qwen2.5-7B-Instruct",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "claude-sonnet-4@20250514",
        "openai/gpt-4o:extended",
        "o3",
    ],
)
def test_names_as_makers_give_them_are_shown(model: str) -> None:
    assert Counted().add(CALL | {"model": model}).shown() == {("mine", model): 1}
