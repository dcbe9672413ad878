"""The metric of spans without a price: what counts, and that strangers' names can't make it grow."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter

from spanloom.agents.stages.unpriced import MOST, OTHER, SHARE, UnpricedSpans
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.fuzz.strategies import requests
from tests.warehouse.tables import spans

CALL = {"span_type": "LLM", "provider": "mine", "model": "m-1", "input_tokens": 10}
OTHERS = (OTHER, OTHER)
PRICES = Prices()
LISTED = PRICES.listed_names()
TAME = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,63}(@(\d+|latest|default))?", re.ASCII)


class Counted:
    """The metric, and what it shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.unpriced = UnpricedSpans(
            Counter("unpriced", "For the test.", ["provider", "model"], registry=self.registry), PRICES
        )

    def add(self, *given: dict[str, Any], named: bool = True) -> Counted:
        """Count spans; `named`: their message's header names their project."""
        return self.add_table(spans(*given), named)

    def add_table(self, table: pa.Table, named: bool = True) -> Counted:
        self.unpriced.count(table, np.full(table.num_rows, named))
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
    assert Counted().add_table(spans(CALL).slice(0, 0)).shown() == {}


@pytest.mark.parametrize(
    ("provider", "model", "labels"),
    [
        ("OpenAI", " Whisper-1 ", ("openai", "whisper-1")),
        ("vllm", "Qwen/Qwen9-7B-Instruct", ("vllm", "qwen/qwen9-7b-instruct")),
        ("gcp.vertex_ai", "claude-x@20300101", ("gcp.vertex_ai", "claude-x@20300101")),
        ("cloudflare", "@cf/baai/bge-large-en-v1.5", ("cloudflare", "@cf/baai/bge-large-en-v1.5")),
        ("openai", "my secret plan", ("openai", OTHER)),
        ("openai", "anna@example.org", ("openai", OTHER)),
        ("openai", "<script>", ("openai", OTHER)),
        ("openai", 'a"b\\c\nd', ("openai", OTHER)),
        ("openai", "m" * 64, ("openai", "m" * 64)),
        ("openai", "m" * 65, ("openai", OTHER)),
        ("openai", "m" * 60 + "@2030", ("openai", OTHER)),
        ("openai", "m-1\n", ("openai", "m-1")),
        ("openai", "m-\u0661", ("openai", OTHER)),
        ("Anna's", "m-1", (OTHER, "m-1")),
        ("Anna's", "Bob's", OTHERS),
    ],
)
def test_labels_are_names_of_the_price_table_or_look_like_one(
    provider: str, model: str, labels: tuple[str, str]
) -> None:
    assert Counted().add(CALL | {"provider": provider, "model": model}).shown() == {labels: 1}


def test_a_flood_of_one_project_takes_no_room_of_listed_names_or_of_other_projects() -> None:
    counted = Counted()
    for batch in range(10):
        flood = [CALL | {"project_id": "odd", "model": f"m-{batch}-{number}"} for number in range(50)]
        counted.add(*flood, *(one | {"provider": "openai"} for one in flood))
    # It ran out of its own share; what can be said of the rest without its words is said.
    shown = counted.shown()
    assert len(shown) == SHARE + 2
    assert shown[OTHERS] + shown["openai", OTHER] == 1000 - SHARE
    listed = CALL | {"provider": "openai", "model": "claude-3-opus-latest"}
    assert listed["model"] in LISTED
    counted.add(listed | {"project_id": "odd"}, CALL | {"project_id": "shop", "model": "house-1"})
    counted.add(*[CALL | {"project_id": "shop", "model": "m-0-0"}] * 2)
    assert counted.shown() == shown | {
        ("openai", "claude-3-opus-latest"): 1,
        ("mine", "house-1"): 1,
        ("mine", "m-0-0"): shown["mine", "m-0-0"] + 2,
    }


def test_projects_that_spans_name_themselves_are_of_one_sender() -> None:
    counted = Counted()
    flood = [CALL | {"project_id": f"p-{number}", "model": f"m-{number}"} for number in range(MOST)]
    counted.add(*flood, named=False)
    assert len(counted.shown()) == SHARE + 1
    counted.add(CALL | {"project_id": "p-1", "model": "house-1"})
    assert counted.shown()["mine", "house-1"] == 1


def test_all_projects_together_are_bounded_with_listed_names_and_with_others() -> None:
    counted = Counted()
    projects = [f"p-{number}" for number in range(MOST)]
    listed = sorted(LISTED)[:SHARE]
    for number, project in enumerate(projects):
        calls = [CALL | {"project_id": project, "model": f"{project}-{model}"} for model in range(SHARE)]
        calls += [
            CALL | {"project_id": project, "provider": sorted(LISTED)[number], "model": model}
            for model in listed
        ]
        counted.add(*calls)
    shown = counted.shown()
    assert len(shown) == 2 * MOST + 1
    assert sum(shown.values()) == MOST * SHARE * 2


@given(st.lists(requests(), min_size=1, max_size=3), st.text(max_size=5))
def test_whatever_spans_hold_no_label_holds_their_texts(values: list[bytes], project: str) -> None:
    messages = [OtlpMessage(value, project) for value in values]
    table = decode(messages, limits=Limits(), prices=PRICES).table
    count = table.num_rows
    # So that every span counts, and not one in a thousand.
    free = {"priced": pa.array([0] * count, table["priced"].type)}
    calls = {"span_type": pa.array(["LLM"] * count, table["span_type"].type)}
    used = {"input_tokens": pa.array([1] * count, table["input_tokens"].type)}
    names = {"model": table["name"], "provider": table["service_name"]}
    for name, values_of in {**free, **calls, **used, **names}.items():
        table = table.set_column(table.schema.get_field_index(name), name, values_of)
    shown = Counted().add_table(table).shown()
    assert all(name == "" or name in LISTED or TAME.fullmatch(name) for pair in shown for name in pair)
    assert sum(shown.values()) == count - table["model"].to_pylist().count("")
