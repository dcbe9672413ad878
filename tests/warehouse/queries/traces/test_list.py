"""In which order traces are listed by time where senders' clocks are ahead, and where the next page goes on."""

from __future__ import annotations

import pytest

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.keyset import Order
from spanloom.warehouse.queries.traces.list import TraceSort, list_traces
from tests.warehouse.tables import HOUR, SECOND, START, partial, put, run, stored

AHEAD = {2: 48, 4: 24 * 365}
"""By how many hours the clocks of some senders are ahead."""


@pytest.fixture
def ahead(warehouse: Warehouse, project: str) -> str:
    """A project whose traces came one an hour, from 1 to 5."""
    rows = []
    for came in (1, 2, 3, 4, 5):
        start = (START + (came + AHEAD.get(came, 0)) * HOUR) * SECOND
        rows.append(
            {
                "project_id": project,
                "session_id": "",
                "window_start": start // SECOND // HOUR * HOUR,
                "trace_id": f"{came:032x}",
                "start_time": start,
                "end_time": start + 60 * SECOND,
                "status": "ok",
                "version": stored(came + 0.5),
            }
        )
    put(warehouse, "traces_versions", partial(*rows))
    return project


@pytest.mark.parametrize("sort", ["start_time", "end_time"])
@pytest.mark.parametrize(("order", "expected"), [("desc", [5, 4, 3, 2, 1]), ("asc", [1, 2, 3, 4, 5])])
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_clock_that_is_ahead_puts_no_trace_on_top_of_any_page(
    warehouse: Warehouse, ahead: str, sort: TraceSort, order: Order, expected: list[int], limit: int
) -> None:
    found: list[int] = []
    cursor = None
    while True:
        page = run(list_traces(warehouse, Filter(project=ahead), sort, order, limit, cursor))
        assert len(page.rows) <= limit
        found += [int(row.trace_id, 16) for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
        assert len(found) < len(expected)
    assert found == expected


def test_the_time_itself_stays(warehouse: Warehouse, ahead: str) -> None:
    [row] = run(list_traces(warehouse, Filter(project=ahead), "trace_id", "desc", 2)).rows[1:]
    assert row.start_time.timestamp() == START + (4 + AHEAD[4]) * HOUR
