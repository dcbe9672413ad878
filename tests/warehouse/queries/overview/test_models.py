"""What was used of each model: the unpriced first, wrappers left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spanloom.spans.table import OUTPUT_IS_MESSAGE
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.queries.ask import TooBig
from spanloom.warehouse.queries.overview.models import models
from tests.warehouse.tables import HOUR, SECOND, START, put, run, spans

TRACE = "0af7651916cd43dd8448eb211c80319c"


def at(hours: float) -> datetime:
    """A time some hours after START."""
    return datetime.fromtimestamp(START, UTC) + timedelta(hours=hours)


def put_calls(warehouse: Warehouse, project: str, *calls: dict[str, Any]) -> None:
    """Spans of one trace, LLM calls of model `m` with 10 and 5 tokens unless they say otherwise."""
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
    put(
        warehouse,
        "spans_versions",
        spans(*(base | own | call for own, call in zip(numbered, calls, strict=True))),
    )


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
        {
            "span_type": "CHAIN",
            "model": "",
            "input_tokens": 0,
            "output_tokens": 0,
            "parent_span_id": f"{1:016x}",
        },
        {"parent_span_id": f"{2:016x}"} | priced,
        # One instrumentation inside another: the inner call counts.
        {"model": "alias", "parent_span_id": f"{1:016x}"},
        {"parent_span_id": f"{4:016x}"} | priced,
        # An agent whose calls were not recorded is all there is.
        agent | {"model": "lone"},
    )
    assert called(warehouse, project) == [("mine", "lone", 1, 1, 25, 0), ("mine", "m", 2, 0, 30, 0.2)]


def test_calls_without_a_model_have_no_price_either(warehouse: Warehouse, project: str) -> None:
    none: dict[str, Any] = {"provider": "", "model": ""}
    put_calls(warehouse, project, none, none | {"input_tokens": 0, "output_tokens": 0})
    assert called(warehouse, project) == [("", "", 2, 2, 15, 0)]


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


def chain(levels: int) -> list[dict[str, Any]]:
    """A wrapper, and a call this many levels below it."""
    between: dict[str, Any] = {"span_type": "CHAIN", "model": "", "input_tokens": 0, "output_tokens": 0}
    below = [{"parent_span_id": f"{number:016x}"} for number in range(1, levels + 1)]
    return [{"span_type": "AGENT", "model": "wrapper"}, *(between | one for one in below[:-1]), below[-1]]


@pytest.mark.parametrize("levels", [1, 32, 33, 100])
def test_a_wrapper_however_far_above_is_no_call(warehouse: Warehouse, project: str, levels: int) -> None:
    put_calls(warehouse, project, *chain(levels))
    assert called(warehouse, project) == [("mine", "m", 1, 1, 15, 0)]


def test_parents_without_end_are_an_error_that_says_what_to_do(warehouse: Warehouse, project: str) -> None:
    put_calls(warehouse, project, *chain(300))
    with pytest.raises(TooBig, match=r"through too many levels of parents: choose"):
        called(warehouse, project)


def test_costs_are_exact(warehouse: Warehouse, project: str) -> None:
    put_calls(warehouse, project, *[{"priced": 1, "total_cost": 0.1}] * 3)
    assert called(warehouse, project) == [("mine", "m", 3, 0, 45, 0.3)]


def test_a_call_that_names_its_cost_only_counts(warehouse: Warehouse, project: str) -> None:
    nothing: dict[str, Any] = {"provider": "", "model": "", "input_tokens": 0, "output_tokens": 0}
    put_calls(warehouse, project, nothing | {"priced": 1, "total_cost": 0.5}, nothing)
    assert called(warehouse, project) == [("", "", 2, 1, 0, 0.5)]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("tail", [0, 1, 5])
def test_circles_of_any_length_end(warehouse: Warehouse, project: str, length: int, tail: int) -> None:
    parents = [number % length + 1 for number in range(1, length + 1)]
    parents += [length + number for number in range(tail)] if tail else []
    put_calls(warehouse, project, *({"parent_span_id": f"{parent:016x}"} for parent in parents))
    calls = 1 if tail or length == 1 else 0
    assert sum(row[2] for row in called(warehouse, project)) == calls  # type: ignore[misc]


def test_a_circle_of_parents_ends(warehouse: Warehouse, project: str) -> None:
    put_calls(
        warehouse,
        project,
        {"parent_span_id": f"{2:016x}"},
        {"parent_span_id": f"{1:016x}"},
        {"parent_span_id": f"{3:016x}"},
    )
    assert called(warehouse, project) == [("mine", "m", 1, 1, 15, 0)]


@pytest.mark.parametrize("readonly", ["1", "2"])
def test_a_read_only_user_may_ask_for_models(warehouse: Warehouse, project: str, readonly: str) -> None:
    put_calls(warehouse, project, {}, {"parent_span_id": f"{1:016x}"})
    reader = connect(warehouse.settings.model_copy(update={"settings": {"readonly": readonly}}))
    assert called(reader, project) == [("mine", "m", 1, 1, 15, 0)]
    reader.close()
