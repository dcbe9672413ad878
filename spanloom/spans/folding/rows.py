"""Rows of traces and session windows as Arrow tables, in the columns of their ClickHouse tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from spanloom.spans.folding.contribution import NANOSECONDS, Contribution, WindowKey
from spanloom.spans.folding.facts import TraceKey
from spanloom.spans.folding.session_fold import SessionWindow
from spanloom.spans.folding.trace_fold import COUNTERS, Trace
from spanloom.spans.table import PICODOLLARS, STATUSES

_TIME = pa.timestamp("ns", "UTC")
_SECONDS = pa.timestamp("s", "UTC")
_TEXTS = pa.list_(pa.string())
_COUNTER_FIELDS = [
    pa.field(name, pa.float64() if name.endswith("_cost") else pa.uint64(), False) for name in COUNTERS
]
_LOG_FIELDS = [pa.field("version", pa.uint64(), False), pa.field("is_deleted", pa.uint8(), False)]

TRACE_TABLE = pa.schema(
    [
        pa.field("project_id", pa.string(), False),
        pa.field("session_id", pa.string(), False),
        pa.field("window_start", _SECONDS, False),
        pa.field("trace_id", pa.string(), False),
        pa.field("name", pa.string(), False),
        pa.field("user_id", pa.string(), False),
        pa.field("tags", _TEXTS, False),
        pa.field("metadata", pa.map_(pa.string(), pa.string()), False),
        pa.field("services", _TEXTS, False),
        pa.field("start_time", _TIME, False),
        pa.field("end_time", _TIME, False),
        pa.field("status", pa.string(), False),
        *_COUNTER_FIELDS,
        pa.field("models", _TEXTS, False),
        pa.field("input", pa.string(), False),
        pa.field("output", pa.string(), False),
        pa.field("root_span_id", pa.string(), False),
        *_LOG_FIELDS,
    ]
)
"""The columns of `traces_versions`."""

WINDOW_TABLE = pa.schema(
    [
        pa.field("project_id", pa.string(), False),
        pa.field("session_id", pa.string(), False),
        pa.field("window_start", _SECONDS, False),
        pa.field("user_id", pa.string(), False),
        pa.field("user_since", _TIME, False),
        pa.field("user_ids", _TEXTS, False),
        pa.field("start_time", _TIME, False),
        pa.field("end_time", _TIME, False),
        pa.field("active_nanoseconds", pa.uint64(), False),
        pa.field("trace_count", pa.uint64(), False),
        *_COUNTER_FIELDS,
        pa.field("models", _TEXTS, False),
        pa.field("tags", _TEXTS, False),
        pa.field("services", _TEXTS, False),
        pa.field("first_input", pa.string(), False),
        *_LOG_FIELDS,
    ]
)
"""The columns of `session_windows_versions`."""

_CONTRIBUTION_COLUMNS = (
    "project_id",
    "session_id",
    "trace_id",
    "version",
    "user_id",
    *COUNTERS,
    "models",
    "tags",
    "services",
    "input_start",
)
_NO_COUNTERS = (0,) * len(COUNTERS)


class TraceRow(NamedTuple):
    """A trace where it stands; without the trace, the row that takes it away from there."""

    key: TraceKey
    place: WindowKey
    version: int
    trace: Trace | None


class WindowRow(NamedTuple):
    """A session window's sums; without them, the row that takes the window away."""

    key: WindowKey
    version: int
    sums: SessionWindow | None


def trace_table(rows: Sequence[TraceRow]) -> pa.Table:
    """Return the rows as a table with the schema TRACE_TABLE."""
    return _table(TRACE_TABLE, [_trace_values(row) for row in rows])


def window_table(rows: Sequence[WindowRow]) -> pa.Table:
    """Return the rows as a table with the schema WINDOW_TABLE."""
    return _table(WINDOW_TABLE, [_window_values(row) for row in rows])


def contributions_of(table: pa.Table) -> list[Contribution]:
    """Return what the traces of a table add to their sessions.

    Args:
        table: live rows with columns of TRACE_TABLE, as ClickHouse gives them back, and `input_start`.
    """
    columns = {name: table[name].to_pylist() for name in _CONTRIBUTION_COLUMNS}
    for name in ("window_start", "start_time", "end_time"):
        columns[name] = table[name].cast(pa.int64()).to_pylist()
    for name in COUNTERS:
        if name.endswith("_cost"):
            columns[name] = [round(value * PICODOLLARS) for value in columns[name]]
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return [
        Contribution(
            window=WindowKey(row["project_id"], row["session_id"], row["window_start"]),
            trace_id=bytes.fromhex(row["trace_id"]),
            version=row["version"],
            withdrawn=False,
            start_time=row["start_time"],
            duration=row["end_time"] - row["start_time"],
            user_id=row["user_id"],
            counters=tuple(row[name] for name in COUNTERS),
            models=tuple(row["models"]),
            tags=tuple(row["tags"]),
            services=tuple(row["services"]),
            input_start=row["input_start"],
        )
        for row in rows
    ]


def _trace_values(row: TraceRow) -> tuple[object, ...]:
    place = (row.place.project_id, row.place.session_id, row.place.window_start, row.key.trace_id.hex())
    trace = row.trace
    if trace is None:
        start = row.place.window_start * NANOSECONDS
        empty = ("", "", (), (), (), start, start, STATUSES[0], *_NO_COUNTERS, (), "", "", "")
        return (*place, *empty, row.version, 1)
    return (
        *place,
        trace.name,
        trace.user_id,
        trace.tags,
        list(trace.metadata.items()),
        trace.services,
        trace.start_time,
        trace.end_time,
        trace.status,
        *_dollars(trace.counters),
        trace.models,
        trace.input,
        trace.output,
        f"{trace.root_span_id:016x}",
        row.version,
        0,
    )


def _window_values(row: WindowRow) -> tuple[object, ...]:
    sums = row.sums
    if sums is None:
        start = row.key.window_start * NANOSECONDS
        return (*row.key, "", 0, (), start, start, 0, 0, *_NO_COUNTERS, (), (), (), "", row.version, 1)
    return (
        *row.key,
        sums.user_id,
        sums.user_since,
        sums.user_ids,
        sums.start_time,
        sums.end_time,
        sums.active_duration,
        sums.trace_count,
        *_dollars(sums.counters),
        sums.models,
        sums.tags,
        sums.services,
        sums.first_input,
        row.version,
        0,
    )


def _dollars(counters: tuple[int, ...]) -> list[float]:
    return [
        value / PICODOLLARS if name.endswith("_cost") else value
        for name, value in zip(COUNTERS, counters, strict=True)
    ]


def _table(schema: pa.Schema, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
    )
