"""What was used of each model: the unpriced first, wrappers left out."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings

from spanloom.spans.folding.contribution import WindowKey
from spanloom.spans.folding.facts import Fact, facts_of
from spanloom.spans.folding.rows import TraceRow, trace_table
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.table import COST_IS_STATED, OUTPUT_IS_MESSAGE, PICODOLLARS, SPAN_TYPES, STATUSES
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.queries.overview.models import models
from tests.spans.folding.plain_usage import totals, trees
from tests.warehouse.tables import HOUR, SECOND, START, put, rows, run, spans

EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "40")) // 2
SILENT: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0}
_numbers = count()

TRACE = "0af7651916cd43dd8448eb211c80319c"


def at(hours: float) -> datetime:
    """A time some hours after START."""
    return datetime.fromtimestamp(START, UTC) + timedelta(hours=hours)


def put_calls(warehouse: Warehouse, project: str, *calls: dict[str, Any]) -> None:
    """A trace and its row: LLM calls of model `m` with 10 and 5 tokens unless they say otherwise."""
    base = {
        "project_id": project,
        "trace_id": TRACE,
        "span_type": "LLM",
        "provider": "mine",
        "model": "m",
        "input_tokens": 10,
        "output_tokens": 5,
    }
    numbered = ({"span_id": f"{number:016x}"} for number in range(1, len(calls) + 1))
    table = spans(*(base | own | call for own, call in zip(numbered, calls, strict=True)))
    put(warehouse, "spans_versions", table)
    for key, facts in facts_of(table):
        place = WindowKey(project, "", START)
        put(warehouse, "traces_versions", trace_table([TraceRow(key, place, 1, fold(key, facts))]))


def called(warehouse: Warehouse, project: str | None, **options: object) -> list[tuple[object, ...]]:
    """Provider, model, calls, unpriced calls, tokens and cost of each row."""
    return [
        (
            row.provider,
            row.model,
            row.call_count,
            row.unpriced_call_count,
            row.total_tokens,
            row.total_cost,
        )
        for row in run(models(warehouse, project, **options))  # type: ignore[arg-type]
    ]


def test_models_are_summed_up_with_the_unpriced_first(warehouse: Warehouse, project: str) -> None:
    costs = {"input_cost": 0.075, "output_cost": 0.025, "total_cost": 0.1}
    priced: dict[str, Any] = {"model": "known", "priced": 1} | costs
    put_calls(
        warehouse,
        project,
        priced | {"input_tokens": 1000, "cache_read_tokens": 7},
        priced,
        {},
        {"priced": 1, "total_cost": 0.2},
        {"provider": "yours"},
        {"span_type": "EMBEDDING", "model": "e", "output_tokens": 0},
    )
    unpriced = [("mine", "m", 2, 1, 30, 0.2), ("yours", "m", 1, 1, 15, 0), ("mine", "e", 1, 1, 10, 0)]
    assert called(warehouse, project) == [*unpriced, ("mine", "known", 2, 0, 1020, 0.2)]
    assert called(warehouse, project, unpriced=True) == unpriced
    assert called(warehouse, project, limit=1) == unpriced[:1]
    [*_, known] = run(models(warehouse, project))
    assert (known.input_tokens, known.output_tokens, known.cache_read_tokens) == (1010, 10, 7)
    assert (known.input_cost, known.output_cost) == (0.15, 0.05)


def test_models_of_a_time_and_a_project(warehouse: Warehouse, project: str) -> None:
    start = START * SECOND
    times: dict[str, Any] = {"start_time": start + 2 * HOUR * SECOND, "end_time": start + 2 * HOUR * SECOND}
    put_calls(warehouse, project, {}, times)
    put_calls(warehouse, project + "x", {"model": "theirs"} | times)
    assert called(warehouse, project, since=at(1)) == [("mine", "m", 1, 1, 15, 0)]
    assert called(warehouse, project, since=at(3)) == []
    assert [row[1] for row in called(warehouse, None, since=at(1)) if row[1] == "theirs"] == ["theirs"]


def test_wrappers_are_no_calls_of_a_model(warehouse: Warehouse, project: str) -> None:
    priced: dict[str, Any] = {"priced": 1, "total_cost": 0.1}
    agent: dict[str, Any] = {"span_type": "AGENT", "model": "wrapper", "input_tokens": 20}
    put_calls(
        warehouse,
        project,
        agent,
        SILENT | {"span_type": "CHAIN", "model": "", "parent_span_id": f"{1:016x}"},
        {"parent_span_id": f"{2:016x}"} | priced,
        # One instrumentation inside another: one call.
        {"model": "alias", "parent_span_id": f"{1:016x}", "scope": "outer"},
        {"parent_span_id": f"{4:016x}", "scope": "inner"} | priced,
        # An agent whose calls were not recorded is all there is.
        agent | {"model": "lone"},
    )
    assert called(warehouse, project) == [("mine", "lone", 1, 1, 25, 0), ("mine", "m", 2, 0, 30, 0.2)]


def test_an_agent_counts_instead_of_a_call_that_does_not_say_what_it_used(
    warehouse: Warehouse, project: str
) -> None:
    agent: dict[str, Any] = {"span_type": "AGENT", "model": "whole", "priced": 1, "total_cost": 0.5}
    below: dict[str, Any] = {"parent_span_id": f"{1:016x}"}
    put_calls(warehouse, project, agent | {"input_tokens": 90}, below, below | SILENT)
    assert called(warehouse, project) == [("mine", "whole", 1, 0, 95, 0.5), ("mine", "m", 1, 0, 0, 0)]


def test_a_cost_that_stands_above_a_call_counts_there(warehouse: Warehouse, project: str) -> None:
    stated: dict[str, Any] = {"priced": 1, "total_cost": 0.7, "marks": COST_IS_STATED}
    below: dict[str, Any] = {"parent_span_id": f"{1:016x}", "priced": 1, "total_cost": 0.1}
    put_calls(warehouse, project, SILENT | stated | {"span_type": "CHAIN", "model": ""}, below)
    assert called(warehouse, project) == [("mine", "m", 1, 0, 15, 0), ("mine", "", 0, 0, 0, 0.7)]


def test_calls_without_a_model_have_no_price_either(warehouse: Warehouse, project: str) -> None:
    none: dict[str, Any] = {"provider": "", "model": ""}
    put_calls(warehouse, project, none)
    assert called(warehouse, project) == [("", "", 1, 1, 15, 0)]


def test_a_call_that_tells_no_usage_is_not_free(warehouse: Warehouse, project: str) -> None:
    nothing: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0}
    failed = nothing | {"status": "error"}
    put_calls(warehouse, project, nothing, failed, failed | {"marks": OUTPUT_IS_MESSAGE}, {})
    [row] = run(models(warehouse, project, unpriced=True))
    assert (row.call_count, row.unpriced_call_count, row.untold_call_count) == (4, 3, 2)
    assert row.only_total_call_count == 0


def test_a_call_that_failed_before_it_answered_is_free(warehouse: Warehouse, project: str) -> None:
    put_calls(warehouse, project, {"input_tokens": 0, "output_tokens": 0, "status": "error"})
    assert called(warehouse, project) == [("mine", "m", 1, 0, 0, 0)]
    assert called(warehouse, project, unpriced=True) == []


def test_a_call_that_tells_a_total_only_is_unpriced(warehouse: Warehouse, project: str) -> None:
    total: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0, "unsplit_tokens": 30}
    put_calls(warehouse, project, total, {}, total | {"priced": 1, "total_cost": 0.5})
    [row] = run(models(warehouse, project))
    assert (row.call_count, row.unpriced_call_count, row.only_total_call_count) == (3, 2, 1)
    assert (row.untold_call_count, row.total_tokens, row.total_cost) == (0, 75, 0.5)


NUMBERS = [
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "reasoning_tokens",
    "unsplit_tokens",
    "marks",
]


def span_of(fact: Fact) -> dict[str, Any]:
    """A span with a fact's numbers."""
    return {name: getattr(fact, name) for name in NUMBERS} | {
        "span_type": SPAN_TYPES[fact.span_type],
        "status": STATUSES[fact.status],
        "priced": int(fact.priced),
        "response_id": fact.response_id,
        "total_cost": fact.total_cost / PICODOLLARS,
        "parent_span_id": f"{fact.parent_span_id:016x}" if fact.parent_span_id else "",
    }


@settings(max_examples=EXAMPLES)
@given(trees())
def test_the_spans_that_count_add_up_to_the_trace(warehouse: Warehouse, tree: list[Fact]) -> None:
    """Whatever the tree, plain SQL over `spans` gives what the plain recursion says of the trace."""
    project = f"tree-{next(_numbers)}"
    put_calls(warehouse, project, *map(span_of, tree))
    columns = [f"sumIf({name}, counts)" for name in totals(tree) if name.endswith("_tokens")]
    [found] = rows(
        warehouse,
        f"SELECT {', '.join(columns)}, sumIf(toUInt64(round(total_cost * 1e12)), cost_counts),"
        f" countIf(unpriced) FROM spans WHERE project_id = '{project}'",
    )
    expected = totals(tree)
    del expected["llm_call_count"]
    assert found == tuple(expected.values())


def test_costs_are_exact(warehouse: Warehouse, project: str) -> None:
    put_calls(warehouse, project, *[{"priced": 1, "total_cost": 0.1}] * 3)
    assert called(warehouse, project) == [("mine", "m", 3, 0, 45, 0.3)]


def test_a_call_that_names_its_cost_only_counts(warehouse: Warehouse, project: str) -> None:
    nothing: dict[str, Any] = {"provider": "", "model": "", "input_tokens": 0, "output_tokens": 0}
    put_calls(warehouse, project, nothing | {"priced": 1, "total_cost": 0.5}, nothing)
    assert called(warehouse, project) == [("", "", 2, 1, 0, 0.5)]


@pytest.mark.parametrize("readonly", ["1", "2"])
def test_a_read_only_user_may_ask_for_models(warehouse: Warehouse, project: str, readonly: str) -> None:
    put_calls(warehouse, project, {}, {"parent_span_id": f"{1:016x}"})
    reader = connect(warehouse.settings.model_copy(update={"settings": {"readonly": readonly}}))
    assert called(reader, project) == [("mine", "m", 1, 1, 15, 0)]
    reader.close()
