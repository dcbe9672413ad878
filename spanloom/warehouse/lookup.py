"""What the worker reads to rebuild state that it forgot or lost.

Each look-up names thousands of keys at once and returns an Arrow table. The keys travel as a table of
their own (`wanted`), along with the query: `IN` over it uses the primary key (seen with EXPLAIN indexes = 1) or
the bloom filter. All of it is exact: FINAL takes the newest version of a row, and what is filtered before it,
by index or by PREWHERE, are columns of the sort key, in which all versions of a row agree. PREWHERE halves
the time: the long previews are read where a wanted trace is, not wherever one might be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from spanloom.spans.folding.contribution import INPUT_START
from spanloom.spans.folding.fact import FACT_COLUMNS
from spanloom.spans.folding.rows import CONTRIBUTION_TABLE
from spanloom.spans.table import SPAN_TABLE
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.schema.own_tables import IDENTITY
from spanloom.warehouse.schema.retention import expired_up_to

KEYS_A_QUERY = 1_000
"""Keys in one query at most; a trace's facts take a few kB, and the answer is held in memory."""

_TEXT = pa.string()
_SECONDS = pa.int64()
_TRACE_KEYS = pa.schema([("project_id", _TEXT), ("trace_id", _TEXT)])
_WINDOW_KEYS = pa.schema([("project_id", _TEXT), ("session_id", _TEXT), ("window_start", _SECONDS)])

_VERSION = pa.field("version", pa.uint64(), False)
_WINDOW_START = pa.field("window_start", _SECONDS, False)

SPAN_FACTS = pa.schema([_VERSION if name == "version" else SPAN_TABLE.field(name) for name in FACT_COLUMNS])
"""The columns that `span_facts` gives."""

SPAN_VERSIONS = pa.schema(
    [*(SPAN_TABLE.field(name) for name in ("project_id", "trace_id", "span_id", "start_time")), _VERSION]
)
"""The columns that `span_versions` gives."""

FORGOTTEN_UP_TO = pa.schema([*(SPAN_TABLE.field(name) for name in ("project_id", "trace_id")), _VERSION])
"""The columns that `forgotten_up_to` gives."""

PLACED_TRACES = pa.schema(
    [
        pa.field("project_id", _TEXT, False),
        pa.field("trace_id", _TEXT, False),
        pa.field("session_id", _TEXT, False),
        _WINDOW_START,
        _VERSION,
    ]
)
"""The columns that `placed_traces` gives; `window_start` in seconds since the epoch."""

WINDOW_VERSIONS = pa.schema(
    [
        pa.field("project_id", _TEXT, False),
        pa.field("session_id", _TEXT, False),
        _WINDOW_START,
        _VERSION,
    ]
)
"""The columns that `window_versions` gives; `window_start` in seconds since the epoch."""

LATEST_ENDS = pa.schema([pa.field("project_id", _TEXT, False), pa.field("latest", pa.int64(), False)])
"""The columns that `latest_ends` gives; `latest` in milliseconds since the epoch."""

_SPAN_FACTS_SQL = f"""
SELECT
    {", ".join(SPAN_FACTS.names)}
FROM spans_versions FINAL
PREWHERE (project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted)
ORDER BY
    project_id,
    trace_id,
    span_id
"""


async def span_facts(warehouse: Warehouse, keys: Sequence[tuple[str, str]]) -> pa.Table:
    """Return the facts of all stored spans of some traces, as `SPAN_FACTS`, trace by trace.

    Args:
        keys: project and trace ID (32 hexadecimal digits) of each trace.
    """
    return await _look_up(warehouse, "look up spans", _SPAN_FACTS_SQL, keys, _TRACE_KEYS, SPAN_FACTS)


_SPAN_VERSIONS_SQL = f"""
SELECT
    {", ".join(SPAN_VERSIONS.names)}
FROM spans_versions FINAL
PREWHERE (project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted)
ORDER BY
    project_id,
    trace_id,
    span_id
"""


async def span_versions(warehouse: Warehouse, keys: Sequence[tuple[str, str]]) -> pa.Table:
    """Return which spans of some traces are stored, as `SPAN_VERSIONS`, trace by trace.

    Args:
        keys: project and trace ID (32 hexadecimal digits) of each trace.
    """
    what = "look up the versions of spans"
    return await _look_up(warehouse, what, _SPAN_VERSIONS_SQL, keys, _TRACE_KEYS, SPAN_VERSIONS)


# Nothing but an erasure deletes a span.
_FORGOTTEN_UP_TO_SQL = """
SELECT
    project_id,
    trace_id,
    max(version) AS version
FROM spans_versions AS stored
PREWHERE (project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted)
WHERE is_deleted = 1
GROUP BY
    project_id,
    trace_id
"""


async def forgotten_up_to(warehouse: Warehouse, keys: Sequence[tuple[str, str]]) -> pa.Table:
    """Return up to which version the spans of some traces were forgotten, as `FORGOTTEN_UP_TO`; of the others nothing.

    Args:
        keys: project and trace ID (32 hexadecimal digits) of each trace.
    """
    what = "look up what was forgotten"
    return await _look_up(warehouse, what, _FORGOTTEN_UP_TO_SQL, keys, _TRACE_KEYS, FORGOTTEN_UP_TO)


# The condition on trace_id alone is for the bloom filter: the sort key has the session before the trace.
# Without FINAL, which would hide the deleted rows: where one stands, a contribution may stand that was never
# withdrawn, if its withdrawal was cut off behind the row.
_PLACED_TRACES_SQL = """
SELECT
    project_id,
    trace_id,
    session_id,
    window_start,
    max(version) AS version
FROM traces_versions AS stored
PREWHERE (trace_id IN (SELECT trace_id FROM wanted))
    AND ((project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted))
GROUP BY
    project_id,
    trace_id,
    session_id,
    window_start
"""


async def placed_traces(warehouse: Warehouse, keys: Sequence[tuple[str, str]]) -> pa.Table:
    """Return where rows of some traces stand, as `PLACED_TRACES`: each session and window, deleted ones too.

    Args:
        keys: project and trace ID (32 hexadecimal digits) of each trace.
    """
    return await _look_up(warehouse, "look up traces", _PLACED_TRACES_SQL, keys, _TRACE_KEYS, PLACED_TRACES)


_WANTED_WINDOW = """(project_id, session_id, window_start) IN (
    SELECT
        project_id,
        session_id,
        toDateTime(window_start, 'UTC')
    FROM wanted
)"""

_INPUT_START = f"substringUTF8(input, 1, {INPUT_START}) AS input_start"

_WINDOW_CONTRIBUTIONS_SQL = f"""
SELECT
    {", ".join(_INPUT_START if name == "input_start" else name for name in CONTRIBUTION_TABLE.names)}
FROM traces_versions FINAL
PREWHERE {_WANTED_WINDOW}
"""


async def window_contributions(warehouse: Warehouse, keys: Sequence[tuple[str, str, int]]) -> pa.Table:
    """Return the rows of all traces that stand in some session windows, as `CONTRIBUTION_TABLE`.

    Args:
        keys: project, session and start (seconds since the epoch) of each window.
    """
    return await _look_up(
        warehouse,
        "look up the traces of session windows",
        _WINDOW_CONTRIBUTIONS_SQL,
        keys,
        _WINDOW_KEYS,
        CONTRIBUTION_TABLE,
    )


# Without FINAL, which would hide them.
_WINDOW_WITHDRAWALS_SQL = f"""
SELECT
    project_id,
    session_id,
    window_start,
    trace_id,
    max(version) AS newest
FROM traces_versions AS stored
PREWHERE {_WANTED_WINDOW}
GROUP BY
    project_id,
    session_id,
    window_start,
    trace_id
HAVING argMax(is_deleted, version) = 1
"""

WINDOW_WITHDRAWALS = pa.schema(
    [
        pa.field("project_id", _TEXT, False),
        pa.field("session_id", _TEXT, False),
        _WINDOW_START,
        pa.field("trace_id", _TEXT, False),
        pa.field("newest", pa.uint64(), False),
    ]
)


async def window_withdrawals(warehouse: Warehouse, keys: Sequence[tuple[str, str, int]]) -> pa.Table:
    """Return the traces that stood in some session windows and do not any more, with the version of what says so."""
    what = "look up the traces that left session windows"
    return await _look_up(warehouse, what, _WINDOW_WITHDRAWALS_SQL, keys, _WINDOW_KEYS, WINDOW_WITHDRAWALS)


# Without FINAL, which would hide the deleted windows.
_WINDOW_VERSIONS_SQL = f"""
SELECT
    project_id,
    session_id,
    window_start,
    max(version) AS version
FROM session_windows_versions AS stored
WHERE {_WANTED_WINDOW}
GROUP BY
    project_id,
    session_id,
    window_start
"""


async def window_versions(warehouse: Warehouse, keys: Sequence[tuple[str, str, int]]) -> pa.Table:
    """Return the newest version of some session windows, as `WINDOW_VERSIONS`; of deleted ones too.

    Args:
        keys: project, session and start (seconds since the epoch) of each window.
    """
    return await _look_up(
        warehouse, "look up session windows", _WINDOW_VERSIONS_SQL, keys, _WINDOW_KEYS, WINDOW_VERSIONS
    )


# Once for a state that begins anew, so a column is read as a whole. Deleted rows, too: their spans lie in other places.
# And of spans that were forgotten no row of a trace tells.
_LATEST_ENDS_SQL = """
SELECT
    project_id,
    toUnixTimestamp64Milli(max(end)) AS latest
FROM
(
    SELECT
        project_id,
        end_time AS end
    FROM traces_versions
    UNION ALL
    SELECT
        project_id,
        start_time AS end
    FROM spans_versions
    WHERE is_deleted = 1
)
WHERE end > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY project_id
ORDER BY latest DESC
"""


async def latest_ends(warehouse: Warehouse, since: int) -> pa.Table:
    """Return when the last trace of each project ends, as `LATEST_ENDS`, the latest first, if that is after `since`, in
    milliseconds since the epoch: of the other projects nothing."""
    answer = await warehouse.query_arrow(
        "look up how late traces end", _LATEST_ENDS_SQL, parameters={"since": since}
    )
    return answer.cast(LATEST_ENDS)


class TableState(NamedTuple):
    """Which database this is, and what is known of one of its tables."""

    identity: str
    is_empty: bool
    expired_up_to: int
    """Rows that changed last before this time, ms, may have been deleted by their age; 0 if none ever is."""


_DATABASE = pa.schema(
    [
        pa.field("identity", _TEXT),
        pa.field("rows", pa.uint64()),
        pa.field("engine", _TEXT),
        pa.field("now", pa.int64()),
    ]
)


async def database(warehouse: Warehouse, table: str) -> TableState:
    """Return which database this is, and what is known of a table."""
    sql = f"""
SELECT
    identity,
    (SELECT count() FROM {table}) AS rows,
    (SELECT any(engine_full) FROM system.tables WHERE (database = currentDatabase()) AND (name = '{table}')) AS engine,
    toUnixTimestamp64Milli(now64(3)) AS now
FROM ({IDENTITY})
"""
    (row,) = (await warehouse.query_arrow("look up which database this is", sql)).cast(_DATABASE).to_pylist()
    return TableState(row["identity"], not row["rows"], expired_up_to(row["engine"] or "", row["now"]))


async def _look_up(
    warehouse: Warehouse,
    what: str,
    sql: str,
    keys: Sequence[tuple[str, ...]] | Sequence[tuple[str, str, int]],
    key_schema: pa.Schema,
    schema: pa.Schema,
) -> pa.Table:
    """Ask for each key once, `KEYS_A_QUERY` at a time; the answers as one table."""
    each = list(dict.fromkeys(keys))
    answers = [schema.empty_table()]
    for start in range(0, len(each), KEYS_A_QUERY):
        columns = zip(*each[start : start + KEYS_A_QUERY], strict=True)
        wanted = pa.table([pa.array(column) for column in columns], schema=key_schema)
        answer = await warehouse.query_arrow(what, sql, wanted=wanted)
        # 25.8 calls the elements of maps and lists nullable, and seconds are UInt32 in both.
        answers.append(answer.cast(schema))
    return pa.concat_tables(answers)
