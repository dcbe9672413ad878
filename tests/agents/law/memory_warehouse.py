"""ClickHouse in memory: of each key the row of the highest version, and the worker's look-ups over them.

It stands in for `Warehouse` below `insert` and the look-ups, which are the real ones. A test in tests/warehouse/
asks both the same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa

from spanloom.spans.folding.contribution import INPUT_START
from spanloom.spans.folding.rows import CONTRIBUTION_TABLE
from spanloom.warehouse import lookup
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.settings import ClickHouseSettings

SPANS = "spans_versions"
TRACES = "traces_versions"
WINDOWS = "session_windows_versions"

SORT_KEYS = {
    SPANS: ("project_id", "trace_id", "span_id"),
    TRACES: ("project_id", "session_id", "window_start", "trace_id"),
    WINDOWS: ("project_id", "session_id", "window_start"),
}

Row = dict[str, Any]
Key = tuple[Any, ...]


class MemoryWarehouse(Warehouse):
    """The three tables of the worker."""

    def __init__(self) -> None:
        super().__init__(ClickHouseSettings())
        self.tables: dict[str, dict[Key, Row]] = {name: {} for name in SORT_KEYS}
        self.identity = "memory"
        self.engine, self.now = "", 0
        """What `system.tables` says of each table, and the time, ms."""
        self.given: dict[tuple[str, Key, int], Row] = {}
        """Every version that traces and windows were ever given, with its row."""
        self.ambiguous: list[tuple[Row, Row]] = []
        """Rows that were given the version of another one."""
        self._questions: dict[str, Callable[[set[Key]], Iterable[Row]]] = {
            "look up spans": self._span_facts,
            "look up the versions of spans": self._span_facts,
            "look up what was forgotten": self._forgotten_up_to,
            "look up traces": self._placed_traces,
            "look up the traces of session windows": self._window_contributions,
            "look up session windows": self._window_versions,
            "look up the traces that left session windows": self._window_withdrawals,
        }
        self._answers = {
            "look up spans": lookup.SPAN_FACTS,
            "look up the versions of spans": lookup.SPAN_VERSIONS,
            "look up what was forgotten": lookup.FORGOTTEN_UP_TO,
            "look up traces": lookup.PLACED_TRACES,
            "look up the traces of session windows": CONTRIBUTION_TABLE,
            "look up session windows": lookup.WINDOW_VERSIONS,
            "look up the traces that left session windows": lookup.WINDOW_WITHDRAWALS,
        }

    def live(self, table: str) -> dict[Key, Row]:
        """Return the rows that readers see, without their versions."""
        return {
            key: {name: value for name, value in row.items() if name not in ("version", "is_deleted")}
            for key, row in self.tables[table].items()
            if not row.get("is_deleted")
        }

    async def insert_arrow(self, table: str, rows: pa.Table, settings: Mapping[str, str]) -> None:  # noqa: ARG002
        """Keep of each key the row of the highest version; of equal ones the later."""
        for row in rows_of(rows):
            key = tuple(row[name] for name in SORT_KEYS[table])
            if table != SPANS:
                same = self.given.setdefault((table, key, row["version"]), row)
                if same != row:
                    self.ambiguous.append((same, row))
            known = self.tables[table].get(key)
            if known is None or row["version"] >= known["version"]:
                self.tables[table][key] = row

    async def query_arrow(
        self,
        what: str,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        wanted: pa.Table | None = None,
    ) -> pa.Table:
        """Answer one of the look-ups."""
        if what == "look up which database this is":
            (table,) = (name for name in SORT_KEYS if f"FROM {name}" in sql)
            rows = pa.array([len(self.tables[table])], pa.uint64())
            return pa.table(
                {"identity": [self.identity], "rows": rows, "engine": [self.engine], "now": [self.now]}
            )
        if what == "look up how late traces end":
            assert parameters is not None
            return self._latest_ends(int(str(parameters["since"])) * 1_000_000)
        assert wanted is not None
        keys = {tuple(row.values()) for row in wanted.to_pylist()}
        schema = self._answers[what]
        rows = list(self._questions[what](keys))
        return pa.table(
            [pa.array([row[field.name] for row in rows], field.type) for field in schema], schema=schema
        )

    def _latest_ends(self, since: int) -> pa.Table:
        latest: dict[str, int] = {}
        ends = [(row["project_id"], row["end_time"]) for row in self.tables[TRACES].values()]
        for row in self.tables[SPANS].values():
            if row.get("is_deleted"):
                ends.append((row["project_id"], row["start_time"]))
        for project, end in ends:
            if end > since:
                latest[project] = max(latest.get(project, 0), end // 1_000_000)
        return pa.table([list(latest), list(latest.values())], schema=lookup.LATEST_ENDS)

    def _span_facts(self, traces: set[Key]) -> Iterable[Row]:
        rows = [
            row
            for row in self.tables[SPANS].values()
            if (row["project_id"], row["trace_id"]) in traces and not row.get("is_deleted")
        ]
        return sorted(rows, key=lambda row: (row["project_id"], row["trace_id"], row["span_id"]))

    def _forgotten_up_to(self, traces: set[Key]) -> Iterable[Row]:
        newest: dict[Key, Row] = {}
        for row in self.tables[SPANS].values():
            key = row["project_id"], row["trace_id"]
            if key in traces and row.get("is_deleted"):
                newest[key] = max(row, newest.get(key, row), key=lambda one: one["version"])
        return newest.values()

    def _placed_traces(self, traces: set[Key]) -> Iterable[Row]:
        return [row for row in self.tables[TRACES].values() if (row["project_id"], row["trace_id"]) in traces]

    def _window_contributions(self, windows: set[Key]) -> Iterable[Row]:
        return [
            {**row, "input_start": row["input"][:INPUT_START]}
            for row in self.tables[TRACES].values()
            if _window(row) in windows and not row["is_deleted"]
        ]

    def _window_withdrawals(self, windows: set[Key]) -> Iterable[Row]:
        return [
            {**row, "newest": row["version"]}
            for row in self.tables[TRACES].values()
            if _window(row) in windows and row["is_deleted"]
        ]

    def _window_versions(self, windows: set[Key]) -> Iterable[Row]:
        return [row for row in self.tables[WINDOWS].values() if _window(row) in windows]


def rows_of(table: pa.Table) -> list[Row]:
    """Return the rows of a table; times as integers in the unit of their column."""
    columns = {
        name: (
            table[name].cast(pa.int64()) if pa.types.is_timestamp(table[name].type) else table[name]
        ).to_pylist()
        for name in table.column_names
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _window(row: Row) -> Key:
    return row["project_id"], row["session_id"], row["window_start"]
