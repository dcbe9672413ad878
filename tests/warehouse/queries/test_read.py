"""What the command line reads: order, limits, and sessions that overlap a range with their whole totals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spanloom.warehouse.client import Warehouse, WarehouseError
from spanloom.warehouse.queries.read import SortKey, models, session, sessions, trace
from tests.warehouse.tables import HOUR, SECOND, START, partial, put, run, spans, window

TRACE = "0af7651916cd43dd8448eb211c80319c"


def at(hours: float) -> datetime:
    """So many hours after START."""
    return datetime.fromtimestamp(START, UTC) + timedelta(hours=hours)


def put_windows(warehouse: Warehouse, *windows: dict[str, object]) -> None:
    put(warehouse, "session_windows_versions", partial(*windows))


def listed(warehouse: Warehouse, project: str | None, **options: object) -> list[str]:
    return [row.session_id for row in run(sessions(warehouse, project, **options))]  # type: ignore[arg-type]


@pytest.fixture
def three(warehouse: Warehouse, project: str) -> str:
    """A project with three sessions that differ in everything one can sort by."""
    start = START * SECOND
    values = (
        ("cheap and long", 0, 0.1, 10, 1, 3000),
        ("dear", 1, 5.0, 20, 2, 60),
        ("many", 2, 0.2, 900, 7, 120),
    )
    put_windows(
        warehouse,
        *(
            window(project, name, hour)
            | {
                "end_time": start + (hour * HOUR + seconds) * SECOND,
                "total_cost": cost,
                "input_tokens": tokens,
                "trace_count": traces,
            }
            for name, hour, cost, tokens, traces, seconds in values
        ),
    )
    return project


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("cost", "dear"),
        ("tokens", "many"),
        ("duration", "cheap and long"),
        ("traces", "many"),
        ("start", "many"),
    ],
)
def test_sessions_are_sorted_by_what_was_asked(
    warehouse: Warehouse, three: str, sort: SortKey, first: str
) -> None:
    assert listed(warehouse, three, sort=sort)[0] == first
    assert len(listed(warehouse, three, sort=sort)) == 3
    assert listed(warehouse, three, sort=sort, limit=1) == [first]


def test_a_session_that_reaches_into_the_range_is_shown(warehouse: Warehouse, three: str) -> None:
    assert listed(warehouse, three, since=at(0.5)) == ["many", "dear", "cheap and long"]
    assert listed(warehouse, three, since=at(0.9)) == ["many", "dear"]
    assert listed(warehouse, three, since=at(3)) == []


def test_the_range_never_cuts_a_sessions_totals(warehouse: Warehouse, project: str) -> None:
    put_windows(
        warehouse,
        *(window(project, "s", hour, input_tokens=10, total_cost=0.1, trace_count=2) for hour in (0, 5, 9)),
    )
    [row] = run(sessions(warehouse, project, since=at(9)))
    assert (row.trace_count, row.total_tokens, row.total_cost) == (6, 30, 0.3)
    assert (row.start_time, row.end_time) == (at(0), at(9) + timedelta(minutes=1))
    assert row.duration == 9 * HOUR + 60


def test_a_window_that_was_replaced_no_longer_counts(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, window(project, "s", 0), window(project, "s", 9, version=1))
    put_windows(warehouse, window(project, "s", 9, version=2, is_deleted=1))
    assert listed(warehouse, project, since=at(5)) == []
    assert listed(warehouse, project) == ["s"]


def test_without_a_project_all_are_shown(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, window(project, "mine", 100), window(project + "x", "yours", 100))
    assert listed(warehouse, None, since=at(100)) == ["mine", "yours"]
    assert listed(warehouse, project) == ["mine"]


def test_equal_sessions_come_in_a_fixed_order(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, *(window(project, name, 0) for name in "cab"))
    assert listed(warehouse, project, sort="cost") == ["a", "b", "c"]


def test_a_session_shows_its_traces_in_order(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, window(project, "it's 🧵", 0, user_id="u", user_ids=["u"], models=["m"]))
    put(
        warehouse,
        "traces_versions",
        partial(
            *(
                {
                    "project_id": project,
                    "session_id": "it's 🧵",
                    "window_start": START,
                    "trace_id": f"{number:032x}",
                    "name": f"turn {number}",
                    "tags": ["a"],
                    "metadata": [("k", "v")],
                    "start_time": (START + number) * SECOND,
                    "end_time": (START + number + 2) * SECOND,
                    "version": 1,
                }
                for number in (3, 1, 2)
            )
        ),
    )
    detail = run(session(warehouse, "it's 🧵", project))
    assert detail is not None
    assert detail.session.user_ids == ["u"]
    assert [turn.name for turn in detail.traces] == ["turn 1", "turn 2", "turn 3"]
    assert detail.traces[0].duration == 2
    assert detail.traces[0].metadata == {"k": "v"}
    assert detail == run(session(warehouse, "it's 🧵"))
    limited = run(session(warehouse, "it's 🧵", limit=2))
    assert limited is not None
    assert len(limited.traces) == 2


def test_a_session_of_two_projects_asks_for_one(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, *(window(project + end, "shared", 0) for end in "ab"))
    with pytest.raises(WarehouseError, match=f"in the projects {project}a, {project}b: name one of them"):
        run(session(warehouse, "shared"))


def test_what_is_not_there_is_none(warehouse: Warehouse, project: str) -> None:
    assert run(session(warehouse, "nobody", project)) is None
    assert run(trace(warehouse, "f" * 32)) is None


def test_a_trace_shows_its_spans_in_order(warehouse: Warehouse, project: str) -> None:
    start = START * SECOND
    base = {"project_id": project, "trace_id": TRACE}
    put(
        warehouse,
        "spans_versions",
        spans(
            base
            | {"span_id": "c", "start_time": start + 5, "end_time": start + 6, "attributes": [("k", "v")]},
            base | {"span_id": "b", "start_time": start, "end_time": start + 5},
            base | {"span_id": "a", "start_time": start, "end_time": start + 9},
        ),
    )
    detail = run(trace(warehouse, TRACE.upper(), project))
    assert detail is not None
    assert detail.trace is None  # its row comes a moment later
    assert [span.span_id for span in detail.spans] == ["a", "b", "c"]
    assert detail.spans[2].attributes == {"k": "v"}

    put(
        warehouse,
        "traces_versions",
        partial(base | {"session_id": "s", "window_start": START, "name": "turn", "version": 1}),
    )
    detail = run(trace(warehouse, TRACE, limit=1))
    assert detail is not None
    assert detail.trace is not None
    assert detail.trace.name == "turn"
    assert len(detail.spans) == 1


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
            round(row.total_cost, 6),
        )
        for row in run(models(warehouse, project, **options))  # type: ignore[arg-type]
    ]


def test_models_are_summed_up_with_the_unpriced_first(warehouse: Warehouse, project: str) -> None:
    priced: dict[str, Any] = {"model": "known", "priced": 1, "total_cost": 0.1}
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
    assert called(warehouse, project) == [("", "", 2, 1, 15, 0)]


def test_a_call_without_tokens_is_not_unpriced(warehouse: Warehouse, project: str) -> None:
    put_calls(warehouse, project, {"input_tokens": 0, "output_tokens": 0})
    assert called(warehouse, project) == [("mine", "m", 1, 0, 0, 0)]
    assert called(warehouse, project, unpriced=True) == []


def test_a_circle_of_parents_ends(warehouse: Warehouse, project: str) -> None:
    put_calls(
        warehouse,
        project,
        {"parent_span_id": f"{2:016x}"},
        {"parent_span_id": f"{1:016x}"},
        {"parent_span_id": f"{3:016x}"},
    )
    assert called(warehouse, project) == [("mine", "m", 1, 1, 15, 0)]
