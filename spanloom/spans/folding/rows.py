"""Rows of traces and session windows as Arrow tables, in the columns of their ClickHouse tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from spanloom.spans.folding.contribution import NANOSECONDS, Contribution, WindowKey
from spanloom.spans.folding.counters import NOTHING, Counters
from spanloom.spans.folding.facts import TraceKey
from spanloom.spans.folding.session_fold import SessionWindow
from spanloom.spans.folding.trace.exceptions import Exceptions
from spanloom.spans.folding.trace.fold import Trace, union
from spanloom.spans.table import COST_COLUMNS, PICODOLLARS, STATUSES

_TIME = pa.timestamp("ns", "UTC")
_SECONDS = pa.timestamp("s", "UTC")
_TEXTS = pa.list_(pa.string())
_COUNTERS = [
    pa.field(name, pa.float64() if name in COST_COLUMNS else pa.uint64(), False) for name in Counters._fields
]
_LOG = [pa.field("version", pa.uint64(), False), pa.field("is_deleted", pa.uint8(), False)]

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
        pa.field("environment", pa.string(), False),
        pa.field("release", pa.string(), False),
        pa.field("start_time", _TIME, False),
        pa.field("end_time", _TIME, False),
        pa.field("status", pa.string(), False),
        *_COUNTERS,
        pa.field("models", _TEXTS, False),
        pa.field("input", pa.string(), False),
        pa.field("output", pa.string(), False),
        pa.field("root_span_id", pa.string(), False),
        *(pa.field(f"{name}_otherwise", _TEXTS, False) for name in Exceptions._fields),
        *_LOG,
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
        *_COUNTERS,
        pa.field("models", _TEXTS, False),
        pa.field("tags", _TEXTS, False),
        pa.field("services", _TEXTS, False),
        pa.field("environments", _TEXTS, False),
        pa.field("releases", _TEXTS, False),
        pa.field("first_input", pa.string(), False),
        *_LOG,
    ]
)
"""The columns of `session_windows_versions`."""

_SAME = tuple(name for name in Contribution._fields if name in TRACE_TABLE.names and name != "trace_id")
"""What a contribution and the row of its trace have in common, under the same names and in the same units."""

CONTRIBUTION_TABLE = pa.schema(
    [
        *(TRACE_TABLE.field(name) for name in ("project_id", "session_id", "trace_id", "end_time")),
        pa.field("window_start", pa.int64(), False),
        *(TRACE_TABLE.field(name) for name in (*_SAME, "environment", "release", *Counters._fields)),
        pa.field("input_start", pa.string(), False),
    ]
)
"""What is read of the rows of traces to get their contributions back; `window_start` in seconds since the epoch,
`input_start` how `input` begins."""


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
    traces = [row.trace for row in rows]
    own: dict[str, Sequence[Any]] = {
        "trace_id": [row.key.trace_id.hex() for row in rows],
        "metadata": [list(trace.metadata.items()) if trace else () for trace in traces],
        "status": [trace.status if trace else STATUSES[0] for trace in traces],
        "root_span_id": [f"{trace.root_span_id:016x}" if trace else "" for trace in traces],
    }
    own.update(
        (f"{name}_otherwise", [getattr(trace.exceptions, name) if trace else () for trace in traces])
        for name in Exceptions._fields
    )
    return _table(TRACE_TABLE, [(row.place, row.version, row.trace) for row in rows], own)


def window_table(rows: Sequence[WindowRow]) -> pa.Table:
    """Return the rows as a table with the schema WINDOW_TABLE."""
    return _table(WINDOW_TABLE, rows, {})


_TIMES = ("window_start", "start_time", "end_time")


def contributions_of(table: pa.Table) -> list[Contribution]:
    """Return what the traces of a table add to their sessions.

    Args:
        table: live rows with the columns of CONTRIBUTION_TABLE.
    """
    # As Python objects times of nanoseconds would be pandas', which is not there where spanloom is installed alone.
    columns = {
        name: (table[name].cast(pa.int64()) if name in _TIMES else table[name]).to_pylist()
        for name in CONTRIBUTION_TABLE.names
    }
    for name in COST_COLUMNS:
        columns[name] = [round(value * PICODOLLARS) for value in columns[name]]
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return [_contribution(row) for row in rows]


def _contribution(row: dict[str, Any]) -> Contribution:
    same: dict[str, Any] = {
        name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in _SAME
    }
    return Contribution(
        window=WindowKey(row["project_id"], row["session_id"], row["window_start"]),
        trace_id=bytes.fromhex(row["trace_id"]),
        withdrawn=False,
        duration=row["end_time"] - row["start_time"],
        counters=Counters._make([row[name] for name in Counters._fields]),
        input_start=row["input_start"],
        environments=union([row["environment"]]),
        releases=union([row["release"]]),
        **same,
    )


def _table(
    schema: pa.Schema,
    rows: Sequence[tuple[WindowKey, int, Trace | SessionWindow | None]],
    own: dict[str, Sequence[Any]],
) -> pa.Table:
    """Rows of places, versions, and what was folded; a row without anything folded takes away what stands in its place.

    Args:
        own: the columns that are no fields, or hold something else.
    """
    if not rows:
        return schema.empty_table()
    places, versions, folded = zip(*rows, strict=True)
    counters = zip(*[NOTHING if one is None else one.counters for one in folded], strict=True)
    columns: dict[str, Sequence[Any]] = {
        "start_time": _times(places, folded, "start_time"),
        "end_time": _times(places, folded, "end_time"),
        "version": versions,
        "is_deleted": [int(one is None) for one in folded],
    }
    columns.update(zip(WindowKey._fields, zip(*places, strict=True), strict=True))
    columns.update(zip(Counters._fields, counters, strict=True))
    columns.update(own)
    for field in schema:
        if field.name not in columns:
            empty = _empty(field.type)
            columns[field.name] = [empty if one is None else getattr(one, field.name) for one in folded]
    return pa.table([_array(field, columns[field.name]) for field in schema], schema)


def _times(
    places: Sequence[WindowKey], folded: Sequence[Trace | SessionWindow | None], name: str
) -> list[int]:
    """Times in nanoseconds; of what is taken away the start of its window."""
    return [
        place.window_start * NANOSECONDS if one is None else getattr(one, name)
        for place, one in zip(places, folded, strict=True)
    ]


def _empty(kind: pa.DataType) -> object:
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        return ()
    return "" if pa.types.is_string(kind) else 0


def _array(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if field.name in COST_COLUMNS:
        values = [value / PICODOLLARS for value in values]
    return pa.array(values, field.type)
