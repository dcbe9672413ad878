"""Stored spans are read whole, in the order of their keys, from any place on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.stored_spans import (
    WHOLE_SPANS,
    StoredRange,
    TraceId,
    count_traces,
    counted_spans,
    spans_of,
    traces_after,
    whole_spans,
)
from tests.warehouse.tables import SECOND, START, partial, put, run, spans

DAY = 86_400


def tid(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
def stored(warehouse: Warehouse, project: str) -> str:
    """Traces 1 to 5, of which each has two spans, one on day 0 and one on the day of its number."""
    put(
        warehouse,
        "spans_versions",
        spans(
            *(
                {
                    "project_id": project,
                    "trace_id": tid(number),
                    "span_id": f"{day:016x}",
                    "start_time": (START + day * DAY) * SECOND,
                    "attributes": [("a", "1"), ("z", "")],
                    "events": [{"name": "e", "time": START * SECOND + 7, "attributes": [("k", "v")]}],
                    "version": 10 - day,
                }
                for number in range(1, 6)
                for day in (0, number)
            )
        ),
    )
    return project


def between(project: str, first: int, end: int, session: str = "") -> StoredRange:
    return StoredRange((START + first * DAY) * SECOND, (START + end * DAY) * SECOND, project, session)


def test_a_trace_is_found_by_any_of_its_spans(warehouse: Warehouse, stored: str) -> None:
    wanted = between(stored, 2, 4)
    assert run(count_traces(warehouse, wanted)) == 2
    found = run(traces_after(warehouse, wanted, None, 10))
    assert found == [TraceId(stored, tid(2)), TraceId(stored, tid(3))]
    # The oldest rows first, and what lies outside the range too.
    assert [(each.trace_id, each.version) for each in run(spans_of(warehouse, found))] == [
        (tid(2), 8),
        (tid(2), 10),
        (tid(3), 7),
        (tid(3), 10),
    ]


def test_traces_are_read_from_any_place_on(warehouse: Warehouse, stored: str) -> None:
    wanted = between(stored, 0, 9)
    first = run(traces_after(warehouse, wanted, None, 2))
    rest = run(traces_after(warehouse, wanted, first[-1], 10))
    assert first + rest == [TraceId(stored, tid(number)) for number in range(1, 6)]
    assert run(traces_after(warehouse, wanted, rest[-1], 10)) == []
    everywhere = StoredRange(wanted.start, wanted.end)
    assert run(traces_after(warehouse, everywhere, TraceId(stored, tid(5)), 1)) != [TraceId(stored, tid(5))]
    assert run(spans_of(warehouse, [])) == []


def test_a_row_comes_back_whole_and_in_its_newest_version(warehouse: Warehouse, stored: str) -> None:
    newer = {"project_id": stored, "trace_id": tid(1), "span_id": f"{0:016x}", "name": "newer", "version": 99}
    put(warehouse, "spans_versions", spans(newer | {"start_time": (START + 40 * DAY) * SECOND}))
    ids = run(spans_of(warehouse, [TraceId(stored, tid(1))]))
    rows = run(whole_spans(warehouse, ids))
    assert rows.schema == WHOLE_SPANS
    assert rows.select(["span_id", "version"]).to_pylist() == [
        {"span_id": each.span_id, "version": each.version} for each in ids
    ]
    assert rows["name"].to_pylist()[1] == "newer"
    assert dict(rows["attributes"][0].as_py()) == {"a": "1", "z": ""}
    # A trace of which only an older row was in the range is not in it.
    assert run(count_traces(warehouse, between(stored, 0, 1))) == 4


def test_of_one_session(warehouse: Warehouse, stored: str) -> None:
    for number, session in ((1, "s"), (2, "s"), (3, "other")):
        row = {"project_id": stored, "session_id": session, "window_start": START, "trace_id": tid(number)}
        put(warehouse, "traces_versions", partial(row | {"version": 1, "is_deleted": 0}))
    # It has moved away since.
    moved = {"project_id": stored, "session_id": "s", "window_start": START, "trace_id": tid(2)}
    put(warehouse, "traces_versions", partial(moved | {"version": 2, "is_deleted": 1}))
    of_session = between(stored, 0, 9, "s")
    assert run(traces_after(warehouse, of_session, None, 10)) == [TraceId(stored, tid(1))]
    # A replay that was broken off goes on with it: what was sent again of a trace may have moved it.
    or_stood = replace(of_session, or_stood=True)
    assert run(traces_after(warehouse, or_stood, None, 10)) == [
        TraceId(stored, tid(1)),
        TraceId(stored, tid(2)),
    ]


def test_how_many_spans_traces_count(warehouse: Warehouse, stored: str) -> None:
    rows = [
        {
            "project_id": stored,
            "session_id": session,
            "window_start": START,
            "trace_id": tid(trace),
            "span_count": count,
            "version": version,
            "is_deleted": deleted,
        }
        for session, trace, count, version, deleted in (
            ("s", 1, 1, 1, 0),
            ("s", 1, 2, 2, 0),
            ("s", 2, 9, 1, 0),
            ("s", 2, 9, 2, 1),
            ("t", 2, 3, 3, 0),
            ("s", 3, 7, 1, 0),
        )
    ]
    for row in rows:
        put(warehouse, "traces_versions", partial(row))
    wanted = [TraceId(stored, tid(number)) for number in (1, 2, 4)]
    assert run(counted_spans(warehouse, wanted)) == {wanted[0]: 2, wanted[1]: 3}
