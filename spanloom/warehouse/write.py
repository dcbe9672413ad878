"""Rows into ClickHouse, so that an acknowledged insert is there to stay."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from spanloom.warehouse.client import Warehouse

TABLES = frozenset(("spans_versions", "traces_versions", "session_windows_versions"))
"""The tables that are written."""

INSERT_BYTES = 64 * 2**20
"""An insert above this many bytes goes in parts: the server holds an Arrow body as a whole while it reads."""

# Not `async_insert`: it is on by default since 26.3, and would gather the inserts of many into one that
# fails for all. No deduplication of blocks: it would drop an insert that looks like an earlier one whose rows
# have been deleted since, and answer that all is well; rows replace each other by version anyway.
# `insert_deduplicate` does that in 25.8; later versions heed `deduplicate_insert` only (seen in 26.9).
# And an insert that did not reach the second table, in which rows are kept once more, has failed.
# Nor may one fail because its rows lie in more than a hundred months: whoever sends spans chooses their times.
# Rows of one insert that replace each other are left to the next merge, and to FINAL: looking for them costs a tenth of
# the insert, and finds some only where a span came twice within a moment.
EXACT = {
    "async_insert": "0",
    "insert_deduplicate": "0",
    "deduplicate_insert": "disable",
    "materialized_views_ignore_errors": "0",
    "throw_on_max_partitions_per_insert_block": "0",
    "optimize_on_insert": "0",
}
"""ClickHouse's settings of every insert."""


async def insert(
    warehouse: Warehouse, table_name: str, rows: pa.Table, insert_bytes: int = INSERT_BYTES
) -> None:
    """Insert rows; when this returns, each is in the table, in the one that a view fills, and visible to queries.

    One insert a call, unless the rows take more than `insert_bytes` bytes in memory. After a failure some of
    them may be there: insert all again, they replace each other.

    Args:
        table_name: one of `TABLES`.
        rows: columns by name, with `version`; `is_deleted` is 0 where the column is missing.

    Raises:
        Unavailable: wait and insert again.
        WarehouseError: ClickHouse refused the rows.
    """
    if table_name not in TABLES:
        raise ValueError(f"{table_name!r} is not one of {', '.join(sorted(TABLES))}")
    for part in parts(rows, insert_bytes):
        await warehouse.insert_arrow(table_name, part, EXACT)


def parts(rows: pa.Table, limit: int) -> Iterator[pa.Table]:
    """Cut a table into runs of rows of at most `limit` bytes each, or a single row."""
    if rows.num_rows == 0:
        return
    if rows.num_rows == 1 or rows.nbytes <= limit:
        yield rows
        return
    middle = rows.num_rows // 2
    yield from parts(rows.slice(0, middle), limit)
    yield from parts(rows.slice(middle), limit)
