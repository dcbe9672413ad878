"""Stored and read again, without any server: what a replay does to rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from spanloom.agents.state.clock import record_of, record_version, timestamp_of
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from spanloom.spans.reading.stored.messages import STORED_SPANS, messages

PRICES = Prices()
WRITTEN = 1_796_000_000_000
"""When records are written, milliseconds since the epoch."""

_ORDER = [
    ("project_id", "ascending"),
    ("trace_id", "ascending"),
    ("version", "ascending"),
    ("span_id", "ascending"),
]


def stored(
    values: Iterable[bytes], limits: Limits | None = None, project: str = "", *, rejects: bool = False
) -> pa.Table:
    """The rows of messages, each the record at the next offset, as ClickHouse has them: of each span the newest."""
    given = [OtlpMessage(value, project, WRITTEN + at) for at, value in enumerate(values)]
    decoded = decode(given, limits=limits or Limits(), prices=PRICES)
    assert rejects or not decoded.rejects
    versions = np.array([record_version(each.written, at) for at, each in enumerate(given)], np.uint64)
    return newest(_versioned(decoded.table, versions[decoded.message]))


def replayed(
    rows: pa.Table,
    *,
    limits: Limits | None = None,
    prices: Prices = PRICES,
    vocabulary: Vocabulary = BUILT_IN,
) -> pa.Table:
    """The rows that a replay of rows leads to."""
    again = [
        OtlpMessage(message.value, message.project_id, WRITTEN + 10**6, is_replay=True)
        for message in messages(
            rows, lambda *_: 0, lambda version: (record_of(version), timestamp_of(version))
        )
    ]
    decoded = decode(again, limits=limits or Limits(), prices=prices, vocabulary=vocabulary)
    assert not decoded.rejects
    assert sorted(decoded.replaces) == list(range(decoded.table.num_rows))
    above = np.array([decoded.replaces[row] + 1 for row in range(decoded.table.num_rows)], np.uint64)
    return _versioned(decoded.table, above).sort_by(_ORDER)


def newest(table: pa.Table) -> pa.Table:
    """Of each span the row of the highest version."""
    best: dict[Sequence[str], int] = {}
    keys = table.select(["project_id", "trace_id", "span_id", "version"]).to_pylist()
    for at, row in enumerate(keys):
        key = row["project_id"], row["trace_id"], row["span_id"]
        if key not in best or keys[best[key]]["version"] <= row["version"]:
            best[key] = at
    return table.take(pa.array(sorted(best.values()), pa.int64())).sort_by(_ORDER)


def differences(before: pa.Table, after: pa.Table) -> list[tuple[int, str, object, object]]:
    """Where two tables with the same spans differ, but for versions: row, column and both values."""
    assert before.num_rows == after.num_rows
    return [
        (row, name, one, other)
        for name in before.schema.names
        if name != "version" and before[name] != after[name]
        for row, (one, other) in enumerate(zip(_values(before, name), _values(after, name), strict=True))
        if one != other
    ]


def _values(table: pa.Table, name: str) -> list[object]:
    column = table[name]
    if pa.types.is_map(column.type):
        return [dict(pairs) for pairs in column.to_pylist()]
    found: list[object] = (
        column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    ).to_pylist()
    return found


def _versioned(table: pa.Table, versions: np.ndarray) -> pa.Table:
    return table.append_column(STORED_SPANS.field("version"), pa.array(versions))
