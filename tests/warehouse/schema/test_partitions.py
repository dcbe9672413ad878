"""Partitions by month: which row lies where, what FINAL makes of them, and that no clock breaks an insert."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from spanloom.warehouse.client import Warehouse
from tests.warehouse.tables import SECOND, partial, put, rows, spans, sql

DAY = 86_400
KEYED_BY_WINDOW = (
    "traces_versions",
    "traces_by_time_versions",
    "session_windows_versions",
    "session_windows_by_session_versions",
)


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def span(project: str, span_id: str, start: str, version: int, **values: Any) -> dict[str, Any]:
    key = {"project_id": project, "trace_id": "0" * 32, "span_id": span_id}
    return key | {"start_time": seconds(start) * SECOND, "version": version} | values


def row_of(table: str, project: str, at: int, **values: Any) -> dict[str, Any]:
    """A row of traces or session windows in the window that begins `at` (seconds)."""
    key = {"project_id": project, "session_id": "s", "window_start": at}
    times = {"start_time": at * SECOND, "end_time": at * SECOND}
    trace = {"trace_id": "t"} if table == "traces_versions" else {}
    return key | trace | times | {"version": 1, "is_deleted": 0} | values


def partitions(warehouse: Warehouse, table: str, project: str) -> list[str]:
    found = rows(
        warehouse, f"SELECT DISTINCT _partition_id FROM {table} WHERE project_id = '{project}' ORDER BY 1"
    )
    return [name for (name,) in found]


@pytest.fixture
def sent_again(warehouse: Warehouse, project: str) -> str:
    """A project whose spans were sent again with a start in another month; each in a part of its own."""
    for row in (
        span(project, "later", "2026-01-05", 1, name="first"),
        span(project, "later", "2026-03-05", 2, name="second"),
        span(project, "earlier", "2026-03-05", 1, name="first"),
        span(project, "earlier", "2026-01-05", 2, name="second"),
        span(project, "deleted", "2026-01-05", 1),
        span(project, "deleted", "2026-03-05", 2, is_deleted=1),
    ):
        put(warehouse, "spans_versions", spans(row))
    assert partitions(warehouse, "spans_versions", project) == ["202601", "202603"]
    return project


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("true", [("earlier", "second"), ("later", "second")]),
        ("start_time < '2026-02-01'", [("earlier", "second")]),
        ("start_time >= '2026-02-01'", [("later", "second")]),
        ("toYYYYMM(start_time) = 202601", [("earlier", "second")]),
    ],
)
def test_a_span_sent_again_with_another_start_is_replaced_whatever_time_is_asked_for(
    warehouse: Warehouse, sent_again: str, condition: str, expected: list[tuple[str, str]]
) -> None:
    query = (
        f"SELECT span_id, name FROM spans WHERE project_id = '{sent_again}' AND {condition} ORDER BY span_id"
    )
    assert rows(warehouse, query) == expected
    sql(warehouse.settings, f"OPTIMIZE TABLE {warehouse.settings.database}.spans_versions FINAL")
    assert rows(warehouse, query) == expected


@pytest.mark.parametrize("table", ["traces_versions", "session_windows_versions"])
def test_a_row_stays_in_the_month_of_its_window_whenever_its_events_are(
    warehouse: Warehouse, project: str, table: str
) -> None:
    window = seconds("2026-01-31T23:00:00")
    for version, is_deleted in ((1, 0), (2, 1), (3, 0)):
        elsewhere = seconds("2026-05-05") * SECOND * version
        row = row_of(table, project, window, version=version, is_deleted=is_deleted, end_time=elsewhere)
        put(warehouse, table, partial(row))
    second_table = {"traces_versions": "traces_by_time_versions"}.get(
        table, "session_windows_by_session_versions"
    )
    for each in (table, second_table):
        assert partitions(warehouse, each, project) == ["202601"]
        found = rows(warehouse, f"SELECT version FROM {each} FINAL WHERE project_id = '{project}'")
        assert found == [(3,)]


@pytest.mark.parametrize("table", KEYED_BY_WINDOW)
def test_final_merges_each_month_for_itself_where_the_month_follows_from_the_sort_key(
    warehouse: Warehouse, project: str, table: str
) -> None:
    written = "traces_versions" if table.startswith("traces") else "session_windows_versions"
    months = ("2026-01-05", "2026-02-05", "2026-03-05")
    for version in (1, 2):
        for month in months:
            put(warehouse, written, partial(row_of(written, project, seconds(month), version=version)))
    [plan] = sql(
        warehouse.settings,
        "SELECT arrayStringConcat(groupArray(explain), '\\n') FROM (EXPLAIN PIPELINE SELECT version "
        f"FROM {warehouse.settings.database}.{table} FINAL WHERE project_id = '{project}') "
        # Without these, keys that don't meet would be told apart as well.
        "SETTINGS split_parts_ranges_into_intersecting_and_non_intersecting_final = 0, "
        "split_intersecting_parts_ranges_into_layers_final = 0",
    )
    assert str(plan[0]).count("ReplacingSorted") == len(months)


@pytest.mark.parametrize("written", ["spans_versions", "traces_versions", "session_windows_versions"])
def test_times_of_every_month_there_is_neither_stop_an_insert_nor_make_partitions_without_end(
    warehouse: Warehouse, project: str, written: str
) -> None:
    times = range(0, 2**32 - 1, 28 * DAY)  # 1970 to 2106
    if written == "spans_versions":
        extremes = (-(2**63), 2**63 - 1, *(at * SECOND for at in times))
        hostile = spans(
            *(
                {"project_id": project, "trace_id": "0" * 32, "span_id": str(number), "start_time": start}
                for number, start in enumerate(extremes)
            )
        )
    else:
        hostile = partial(*(row_of(written, project, at) for at in times))
    put(warehouse, written, hostile)
    second_table = {
        "spans_versions": "spans_versions",
        "traces_versions": "traces_by_time_versions",
        "session_windows_versions": "session_windows_by_session_versions",
    }[written]
    for table in (written, second_table):
        assert rows(warehouse, f"SELECT count() FROM {table} WHERE project_id = '{project}'") == [
            (hostile.num_rows,)
        ]
        found = partitions(warehouse, table, project)
        assert (found[0], found[-1], len(found)) == ("202001", "203912", 20 * 12)
