"""What the view `spans` makes of a span, and of what its trace's newest row says of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest

from spanloom.warehouse.client import Warehouse
from tests.warehouse.tables import START, partial, put, rows, spans

TRACE = f"{1:032x}"
ANOTHER = f"{2:032x}"
FLAGS = ("counts", "cost_counts", "unpriced")


def put_span(warehouse: Warehouse, project: str, number: int = 1, **values: Any) -> None:
    """A span of TRACE."""
    span = {"project_id": project, "trace_id": TRACE, "span_id": f"{number:016x}"} | values
    put(warehouse, "spans_versions", spans(span))


def put_trace(warehouse: Warehouse, project: str, trace: str = TRACE, **values: Any) -> None:
    """The row of a trace, which names numbers of spans in its columns `…_otherwise`."""
    row = {"project_id": project, "session_id": "", "window_start": START, "trace_id": trace, "is_deleted": 0}
    for flag in FLAGS:
        row[f"{flag}_otherwise"] = [f"{number:016x}" for number in values.pop(flag, ())]
    put(warehouse, "traces_versions", partial({"version": 1} | row | values))


def flags(warehouse: Warehouse, project: str, trace: str = TRACE) -> dict[int, tuple[int, ...]]:
    """Of each span of a trace `counts`, `cost_counts` and `unpriced`, by its number."""
    sql = f"SELECT span_id, {', '.join(FLAGS)} FROM spans WHERE project_id = '{project}' AND trace_id = '{trace}'"
    return {int(span, 16): tuple(found) for span, *found in rows(warehouse, sql)}


def test_sdks_words_and_sums_stand_in_the_view(warehouse: Warehouse, project: str) -> None:
    put_span(
        warehouse,
        project,
        time_to_first_token=0.25,
        environment="staging",
        release="2.1",
        input_tokens=1,
        output_tokens=20,
        cache_read_tokens=300,
        cache_write_tokens=4000,
        reasoning_tokens=50_000,
    )
    put_span(warehouse, project, 2, unsplit_tokens=600_000)
    columns = "environment, release, time_to_first_token, unsplit_tokens, total_tokens"
    assert rows(
        warehouse, f"SELECT {columns} FROM spans WHERE project_id = '{project}' ORDER BY span_id"
    ) == [
        ("staging", "2.1", 0.25, 0, 21),  # cached tokens and those of reasoning are parts of these
        ("", "", 0.0, 600_000, 600_000),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"span_type": "LLM"}, (1, 1, 1)),
        ({"span_type": "EMBEDDING"}, (1, 1, 1)),
        ({"span_type": "LLM", "priced": 1}, (1, 1, 0)),
        ({"span_type": "LLM", "status": "error"}, (1, 1, 0)),  # what failed is free until its trace says more
        ({"span_type": "AGENT", "input_tokens": 9}, (0, 0, 0)),
        ({"span_type": "TOOL"}, (0, 0, 0)),
        ({"span_type": "DEFAULT"}, (0, 0, 0)),
    ],
)
def test_until_its_trace_has_a_row_a_call_counts_and_nothing_else(
    warehouse: Warehouse, project: str, values: dict[str, Any], expected: tuple[int, ...]
) -> None:
    put_span(warehouse, project, **values)
    assert flags(warehouse, project) == {1: expected}
    put_trace(warehouse, project)  # a row that names no span says the same
    assert flags(warehouse, project) == {1: expected}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_trace_turns_one_flag_of_the_spans_that_it_names(
    warehouse: Warehouse, project: str, flag: str
) -> None:
    put_span(warehouse, project, 1, span_type="LLM")
    put_span(warehouse, project, 2, span_type="AGENT")
    put_span(warehouse, project, 3, span_type="LLM")
    named: dict[str, Any] = {flag: [1, 2]}
    put_trace(warehouse, project, **named)
    plain = {1: (1, 1, 1), 2: (0, 0, 0), 3: (1, 1, 1)}
    at = FLAGS.index(flag)
    turned = {
        number: tuple(value != (number < 3 and place == at) for place, value in enumerate(values))
        for number, values in plain.items()
    }
    assert flags(warehouse, project) == turned


def test_neither_another_project_nor_another_trace_says_anything(warehouse: Warehouse, project: str) -> None:
    put_span(warehouse, project, span_type="LLM")
    put_trace(warehouse, project, ANOTHER, counts=[1])
    put_trace(warehouse, f"{project}-other", counts=[1])
    assert flags(warehouse, project) == {1: (1, 1, 1)}


MOVE: list[dict[str, Any]] = [
    {"session_id": "old", "version": 1, "counts": [1]},
    {"session_id": "old", "version": 2, "is_deleted": 1},
    {"session_id": "new", "version": 2, "counts": [2]},
]
"""A trace that moves to another session: it leaves a deleted row behind, of the version of its new one."""


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_row_of_a_trace_counts_wherever_it_moved(
    warehouse: Warehouse, project: str, order: Iterable[int]
) -> None:
    put_span(warehouse, project, 1, span_type="LLM")
    put_span(warehouse, project, 2, span_type="LLM")
    for step in order:
        put_trace(warehouse, project, **MOVE[step])
    assert flags(warehouse, project) == {1: (1, 1, 1), 2: (0, 1, 1)}
