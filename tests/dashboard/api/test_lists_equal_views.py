"""The lists are the views `sessions` and `traces`, filtered, sorted and cut into pages: nothing else.

By time no row stands later than it was stored: versions here are of 3, 6 and 9 o'clock, events of 0 to 8 o'clock.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.sessions.keys import NUMBERS as SESSION_NUMBERS
from spanloom.warehouse.queries.sessions.keys import TEXTS as SESSION_TEXTS
from spanloom.warehouse.queries.traces.list import NUMBERS as TRACE_NUMBERS
from spanloom.warehouse.queries.traces.list import TEXTS as TRACE_TEXTS
from tests.dashboard.client import Api
from tests.dashboard.world import put_traces
from tests.warehouse.tables import HOUR, SECOND, START, partial, put, run, stored, window

EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "40")) // 3

_numbers = itertools.count(1)

SESSIONS = ("a", "b/ü", "C 🧵")
USERS = ("", "u1", "u2")
WORDS = ("", "Hallo Straße", "ПРИВЕТ мир", "100% _sure_", "it's 你好 🧵")
SOUGHT = ("hallo", "STRASSE", "привет", "%", "_", "'", "好 🧵", "nothing")
LISTS = st.sets(st.sampled_from("xyz")).map(sorted)
COSTS = st.sampled_from((0.0, 0.1, 0.2, 0.3, 1e-12))

windows = st.fixed_dictionaries(
    {
        "session_id": st.sampled_from(SESSIONS),
        "hour": st.integers(0, 5),
        "minutes": st.integers(0, 150),
        "user_id": st.sampled_from(USERS),
        "tags": LISTS,
        "models": LISTS,
        "services": LISTS,
        "trace_count": st.integers(1, 3),
        "failure_count": st.integers(0, 1),
        "error_count": st.integers(0, 1),
        "input_tokens": st.integers(0, 3),
        "unsplit_tokens": st.integers(0, 1),
        "total_cost": COSTS,
        "first_input": st.sampled_from(WORDS),
        "version": st.integers(1, 3),
        "is_deleted": st.sampled_from((0, 0, 0, 1)),
    }
)

traces = st.fixed_dictionaries(
    {
        "session_id": st.sampled_from(("", *SESSIONS)),
        "trace": st.integers(1, 4),
        "hour": st.integers(0, 5),
        "minutes": st.integers(0, 150),
        "user_id": st.sampled_from(USERS),
        "tags": LISTS,
        "models": LISTS,
        "services": LISTS,
        "metadata": st.dictionaries(st.sampled_from("kl"), st.sampled_from(("", "v=1"))).map(
            lambda pairs: list(pairs.items())
        ),
        "status": st.sampled_from(("ok", "error", "unset")),
        "failure_count": st.integers(0, 1),
        "error_count": st.integers(0, 1),
        "input_tokens": st.integers(0, 3),
        "unsplit_tokens": st.integers(0, 1),
        "total_cost": COSTS,
        "input": st.sampled_from(WORDS),
        "output": st.sampled_from(WORDS),
        "version": st.integers(1, 3),
        "is_deleted": st.sampled_from((0, 0, 0, 1)),
    }
)

HOURS = st.one_of(st.none(), st.integers(-1, 9))
filters = st.fixed_dictionaries(
    {},
    optional={
        "from_": HOURS,
        "to": HOURS,
        "q": st.sampled_from(SOUGHT),
        "session_id": st.sampled_from(("A", "/Ü", "🧵", "no")),
        "user": st.sampled_from(USERS),
        "tag": st.lists(st.sampled_from("xyz"), max_size=2),
        "model": st.lists(st.sampled_from("xyz"), max_size=1),
        "service": st.lists(st.sampled_from("xyz"), max_size=1),
        "status": st.sampled_from(("ok", "error", "unset")),
        "metadata": st.lists(st.sampled_from(("k=v=1", "l=", "m=1")), max_size=1),
        "min_traces": st.integers(0, 3),
        "max_traces": st.integers(1, 6),
        "min_duration": st.sampled_from((0.0, 60.0, 5400.0)),
        "max_duration": st.sampled_from((0.0, 3600.0, 9000.0)),
        "min_tokens": st.integers(0, 4),
        "max_tokens": st.integers(0, 4),
        "min_cost": st.sampled_from((0.0, 0.1, 0.3)),
        "max_cost": st.sampled_from((0.0, 0.2, 0.3)),
    },
)
orders = st.sampled_from(("asc", "desc"))


def at(hour: float) -> datetime:
    return datetime.fromtimestamp(START, UTC) + timedelta(hours=hour)


def rows_of(warehouse: Warehouse, project: str, view: str) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM {view} WHERE project_id = {{project:String}}"
    return run(warehouse.query_rows("read", sql, {"project": project}))


def first_inputs(warehouse: Warehouse, project: str) -> dict[str, str]:
    """How each session that has an input begins."""
    sql = """
        SELECT session_id, first_input FROM session_windows_versions FINAL
        WHERE project_id = {project:String} AND first_input != '' ORDER BY window_start DESC"""
    rows = run(warehouse.query_rows("read", sql, {"project": project}))
    return {row["session_id"]: row["first_input"] for row in rows}


def bounded_times(warehouse: Warehouse, project: str, table: str, named_by: str) -> dict[str, dict[str, int]]:
    """Start and end (ns) of each session or trace, no later than its rows were stored."""
    sql = f"""
        SELECT {named_by} AS name, version,
            toUnixTimestamp64Nano(start_time) AS start, toUnixTimestamp64Nano(end_time) AS end
        FROM {table} FINAL WHERE project_id = {{project:String}}"""
    found: dict[str, dict[str, int]] = {}
    for row in run(warehouse.query_rows("read", sql, {"project": project})):
        latest = (row["version"] >> 22) * 1_000_000
        start, end = min(row["start"], latest), min(row["end"], latest)
        before = found.setdefault(row["name"], {"start_time": start, "end_time": end})
        before["start_time"] = min(before["start_time"], start)
        before["end_time"] = max(before["end_time"], end)
    return found


def put_all(
    warehouse: Warehouse, project: str, some: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    """Each in an insert of its own, so that ClickHouse has versions that it has not merged."""
    for values in some:
        row = window(project, values["session_id"], values["hour"]) | values
        row["end_time"] = row["start_time"] + values["minutes"] * 60 * SECOND
        row["version"] = stored(3 * values["version"])
        row |= {"user_ids": [values["user_id"]] if values["user_id"] else [], "user_since": row["start_time"]}
        del row["hour"], row["minutes"]
        put(warehouse, "session_windows_versions", partial(row))
    for number, values in enumerate(others):
        # A version says what a row holds: two rows of one version are the same row.
        start = (START + values["hour"] * HOUR) * SECOND
        row = values | {
            "project_id": project,
            "trace_id": f"{values['trace']:032x}",
            "name": "turn",
            "window_start": START + values["hour"] * HOUR,
            "start_time": start,
            "end_time": start + values["minutes"] * 60 * SECOND,
            "version": stored(3 * values["version"], number),
        }
        del row["trace"], row["hour"], row["minutes"]
        put_traces(warehouse, row)


def as_parameters(wanted: dict[str, Any]) -> dict[str, Any]:
    times = {name: at(wanted[name]).isoformat() for name in ("from_", "to") if wanted.get(name) is not None}
    return {name: value for name, value in wanted.items() if name not in ("from_", "to")} | times


def overlaps(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    since, until = wanted.get("from_"), wanted.get("to")
    return (since is None or row["end_time"] >= at(since)) and (
        until is None or row["start_time"] <= at(until)
    )


def bounded(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    columns = {
        "traces": "trace_count",
        "duration": "duration",
        "tokens": "total_tokens",
        "cost": "total_cost",
    }
    return all(
        wanted.get(f"min_{name}", 0) <= row.get(column, 1) <= wanted.get(f"max_{name}", 1e99)
        for name, column in columns.items()
    )


def matches(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    text = wanted.get("q", "").lower()
    pairs = [pair.split("=", 1) for pair in wanted.get("metadata", ())]
    return any(text in row[name].lower() for name in ("input", "output")) and all(
        row["metadata"].get(key) == value for key, value in pairs
    )


def labelled(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    names = {"tag": "tags", "model": "models", "service": "services"}
    return wanted.get("session_id", "").lower() in row["session_id"].lower() and all(
        set(wanted.get(name, ())) <= set(row[column]) for name, column in names.items()
    )


def wanted_sessions(
    sessions: list[dict[str, Any]], trace_rows: list[dict[str, Any]], wanted: dict[str, Any]
) -> list[dict[str, Any]]:
    matching = {row["session_id"] for row in trace_rows if overlaps(row, wanted) and matches(row, wanted)}
    any_text = not wanted.get("q") and not wanted.get("metadata")
    return [
        row
        for row in sessions
        if overlaps(row, wanted)
        and bounded(row, wanted)
        and labelled(row, wanted)
        and (any_text or row["session_id"] in matching)
        and (not wanted.get("user") or wanted["user"] in row["user_ids"])
        and wanted.get("status") in (None, "error" if row["error_count"] else "ok")
    ]


def wanted_traces(trace_rows: list[dict[str, Any]], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        row
        for row in trace_rows
        if overlaps(row, wanted)
        and bounded(row, wanted)
        and labelled(row, wanted)
        and matches(row, wanted)
        and wanted.get("user", "") in ("", row["user_id"])
        and wanted.get("status") in (None, row["status"])
    ]


def in_order(
    rows: list[dict[str, Any]],
    sort: str,
    order: str,
    texts: dict[str, str],
    equal: list[tuple[str, str]],
    times: dict[str, dict[str, int]],
) -> list[dict[str, Any]]:
    """By what they are sorted by, as bytes; among equal ones in the order in which the list has them."""

    def key(row: dict[str, Any]) -> Any:
        if sort in ("start_time", "end_time"):
            return times[named(row)[1]][sort]
        value = row[sort]
        value = ", ".join(value) if isinstance(value, list) else value
        return value.encode() if sort in texts else value

    place = {name: number for number, name in enumerate(equal)}
    assert len(place) == len(equal), "a row is there twice"
    listed = sorted(rows, key=lambda row: place.get(named(row), -1))
    return sorted(listed, key=key, reverse=order == "desc")


def named(row: dict[str, Any]) -> tuple[str, str]:
    return row["project_id"], row.get("trace_id") or row["session_id"]


def check(listed: list[dict[str, Any]], expected: list[dict[str, Any]], names: Callable[[str], bool]) -> None:
    """The same rows in the same order; each field that the view has is the view's."""
    times = ("start_time", "end_time")
    assert [
        {
            name: datetime.fromisoformat(row[name]) if name in times else row[name]
            for name in row
            if names(name)
        }
        for row in listed
    ] == [{name: row[name] for name in listed[0] if names(name)} for row in expected]


@settings(max_examples=EXAMPLES)
@given(
    some=st.lists(windows, max_size=12),
    others=st.lists(traces, max_size=8),
    questions=st.lists(
        st.tuples(filters, st.sampled_from(sorted(SESSION_NUMBERS | SESSION_TEXTS)), orders),
        min_size=4,
        max_size=4,
    ),
)
def test_the_list_of_sessions_is_the_view(
    warehouse: Warehouse,
    some: list[dict[str, Any]],
    others: list[dict[str, Any]],
    questions: list[tuple[dict[str, Any], str, str]],
) -> None:
    project, api = f"sessions-{next(_numbers)}", Api(warehouse)
    put_all(warehouse, project, some, others)
    sessions, trace_rows = rows_of(warehouse, project, "sessions"), rows_of(warehouse, project, "traces")
    begun = first_inputs(warehouse, project)
    times = bounded_times(warehouse, project, "session_windows_versions", "session_id")
    sessions = [row | {"input": begun.get(row["session_id"], "")} for row in sessions]
    for wanted, sort, order in ({}, "end_time", "desc"), *questions:
        listed = api.all_rows(
            "sessions", project=project, sort=sort, order=order, limit=2, **as_parameters(wanted)
        )
        expected = in_order(
            wanted_sessions(sessions, trace_rows, wanted),
            sort,
            order,
            SESSION_TEXTS,
            [*map(named, listed)],
            times,
        )
        check(listed, expected, lambda name: name != "has_errors")
        for row in listed:
            assert row["has_errors"] == (row["error_count"] > 0)
        counted = api.get("histogram", project=project, kind="sessions", **as_parameters(wanted))["buckets"]
        assert sum(bucket["count"] for bucket in counted) == len(expected)
        assert sum(bucket["errors"] for bucket in counted) == sum(row["failure_count"] for row in expected)
        assert sum(bucket["cost"] for bucket in counted) == pytest.approx(
            sum(row["total_cost"] for row in expected)
        )


@settings(max_examples=EXAMPLES)
@given(
    others=st.lists(traces, max_size=14),
    questions=st.lists(
        st.tuples(filters, st.sampled_from(sorted(TRACE_NUMBERS | TRACE_TEXTS)), orders),
        min_size=4,
        max_size=4,
    ),
)
def test_the_list_of_traces_is_the_view(
    warehouse: Warehouse, others: list[dict[str, Any]], questions: list[tuple[dict[str, Any], str, str]]
) -> None:
    project, api = f"traces-{next(_numbers)}", Api(warehouse)
    # A trace stands in one place at a time: what it left is deleted.
    places: dict[int, tuple[str, int]] = {}
    for row in others:
        place = places.setdefault(row["trace"], (row["session_id"], row["hour"]))
        row["is_deleted"] = 1 if (row["session_id"], row["hour"]) != place else row["is_deleted"]
    put_all(warehouse, project, [], others)
    trace_rows = rows_of(warehouse, project, "traces")
    times = bounded_times(warehouse, project, "traces_versions", "trace_id")
    for wanted, sort, order in ({}, "start_time", "desc"), *questions:
        listed = api.all_rows(
            "traces", project=project, sort=sort, order=order, limit=2, **as_parameters(wanted)
        )
        expected = in_order(
            wanted_traces(trace_rows, wanted), sort, order, TRACE_TEXTS, [*map(named, listed)], times
        )
        check(listed, expected, lambda name: name not in ("input", "output", "has_errors"))
        assert [(row["input"], row["output"]) for row in listed] == [
            (row["input"], row["output"]) for row in expected
        ]
        counted = api.get("histogram", project=project, kind="traces", **as_parameters(wanted))["buckets"]
        assert sum(bucket["count"] for bucket in counted) == len(expected)
