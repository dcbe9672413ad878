"""The metric of spans without a price: what counts, and that strangers' names can't make it grow."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from spanloom.agents.stages.unpriced import MAX_CHARACTERS, MAX_PAIRS, OTHER, UnpricedSpans
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


def test_names_from_outside_are_bounded_in_number_and_length() -> None:
    counted = Counted()
    for batch in range(10):
        counted.add(*(CALL | {"model": f"m-{batch}-{number}" + "x" * 900} for number in range(50)))
    counted.add(CALL | {"model": "m-0-0" + "x" * 900})
    shown = counted.shown()
    assert len(shown) == MAX_PAIRS + 1
    assert shown[OTHER, OTHER] == 500 - MAX_PAIRS
    assert max(len(model) for _, model in shown) == MAX_CHARACTERS
    assert sum(shown.values()) == 501
