"""Which sessions are listed: by order, limit, project and range, each with its whole totals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SessionListRow
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.keyset import Order
from spanloom.warehouse.queries.sessions.list import SessionSort, list_sessions
from tests.warehouse.tables import HOUR, SECOND, START, STORED, partial, put, run, stored, window


def at(hours: float) -> datetime:
    """A time some hours after START."""
    return datetime.fromtimestamp(START, UTC) + timedelta(hours=hours)


def put_windows(warehouse: Warehouse, *windows: dict[str, object]) -> None:
    put(warehouse, "session_windows_versions", partial(*windows))


def rows(
    warehouse: Warehouse,
    project: str | None,
    since: datetime | None = None,
    sort: SessionSort = "start_time",
    limit: int = 50,
) -> list[SessionListRow]:
    return run(list_sessions(warehouse, Filter(project=project, since=since), sort, "desc", limit)).rows


def listed(
    warehouse: Warehouse,
    project: str | None,
    since: datetime | None = None,
    sort: SessionSort = "start_time",
    limit: int = 50,
) -> list[str]:
    return [row.session_id for row in rows(warehouse, project, since, sort, limit)]


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
        ("total_cost", "dear"),
        ("total_tokens", "many"),
        ("duration", "cheap and long"),
        ("trace_count", "many"),
        ("start_time", "many"),
    ],
)
def test_sessions_are_sorted_by_the_requested_column(
    warehouse: Warehouse, three: str, sort: SessionSort, first: str
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
    [row] = rows(warehouse, project, since=at(9))
    assert (row.trace_count, row.total_tokens, row.total_cost) == (6, 30, 0.3)
    assert (row.start_time, row.end_time) == (at(0), at(9) + timedelta(minutes=1))
    assert row.duration == 9 * HOUR + 60


def test_a_window_that_was_replaced_no_longer_counts(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, window(project, "s", 0), window(project, "s", 9))
    put_windows(warehouse, window(project, "s", 9, version=STORED + 1, is_deleted=1))
    assert listed(warehouse, project, since=at(5)) == []
    assert listed(warehouse, project) == ["s"]


def test_without_a_project_all_are_shown(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, window(project, "mine", 100), window(project + "x", "yours", 100))
    assert set(listed(warehouse, None, since=at(100))) == {"mine", "yours"}
    assert listed(warehouse, project) == ["mine"]


def test_equal_sessions_come_in_a_fixed_order(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, *(window(project, name, 0) for name in "cab"))
    order = listed(warehouse, project, sort="total_cost")
    assert set(order) == {"a", "b", "c"}
    put_windows(warehouse, *(window(project, name, 0, version=STORED + 1) for name in "bac"))
    assert listed(warehouse, project, sort="total_cost") == order
    assert listed(warehouse, project, sort="total_cost", limit=2) == order[:2]


@pytest.fixture
def ahead(warehouse: Warehouse, project: str) -> str:
    """A project whose sessions came one an hour, from 1 to 5; those of 2 and 4 from clocks that are days ahead."""
    put_windows(
        warehouse,
        *(
            window(
                project, f"s{came}", came + (48 * came if came in (2, 4) else 0), version=stored(came + 0.5)
            )
            for came in (1, 2, 3, 4, 5)
        ),
    )
    return project


@pytest.mark.parametrize("sort", ["start_time", "end_time"])
@pytest.mark.parametrize(("order", "expected"), [("desc", "54321"), ("asc", "12345")])
def test_a_clock_that_is_ahead_puts_no_session_on_top(
    warehouse: Warehouse, ahead: str, sort: SessionSort, order: Order, expected: str
) -> None:
    wanted = Filter(project=ahead)
    found = run(list_sessions(warehouse, wanted, sort, order)).rows
    assert [row.session_id for row in found] == [f"s{came}" for came in expected]
    assert {row.session_id: row.start_time for row in found}["s4"] == at(4 + 48 * 4), "the time itself stays"


@pytest.mark.parametrize("sort", ["start_time", "end_time"])
@pytest.mark.parametrize(("order", "expected"), [("desc", "54321"), ("asc", "12345")])
def test_the_next_page_goes_on_behind_a_session_whose_clock_is_ahead(
    warehouse: Warehouse, ahead: str, sort: SessionSort, order: Order, expected: str
) -> None:
    found, cursor = "", None
    for _ in expected:
        page = run(list_sessions(warehouse, Filter(project=ahead), sort, order, 1, cursor))
        [row], cursor = page.rows, page.next
        found += row.session_id.removeprefix("s")
    assert (found, cursor) == (expected, None)


def test_a_session_goes_by_the_window_that_was_stored_last(warehouse: Warehouse, project: str) -> None:
    put_windows(
        warehouse,
        window(project, "both", 1, version=stored(1.5)),
        window(project, "both", 90, version=stored(7.5)),
        window(project, "before", 7, version=stored(8)),
        window(project, "behind", 8, version=stored(9)),
    )
    assert listed(warehouse, project, sort="end_time") == ["behind", "both", "before"]
    assert listed(warehouse, project, sort="start_time") == ["behind", "before", "both"]
