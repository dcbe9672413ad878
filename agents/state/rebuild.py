"""Rebuilds state that was forgotten or lost from what ClickHouse has stored, so that late spans are not lost."""

from __future__ import annotations

from collections.abc import Sequence

from spanloom.agents.retry import Retry
from spanloom.agents.state.stored import Database, StoredTrace, StoredWindow
from spanloom.spans.folding.contribution import WindowKey
from spanloom.spans.folding.facts import TraceKey, facts_of
from spanloom.spans.folding.rows import contributions_of
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.lookup import (
    database,
    latest_ends,
    placed_traces,
    span_facts,
    window_contributions,
    window_versions,
)


class Rebuild:
    """Reads state back; waits as long as ClickHouse is out of reach."""

    def __init__(self, warehouse: Warehouse, retry: Retry) -> None:
        self._warehouse = warehouse
        self._retry = retry

    async def traces(
        self, lost: Sequence[TraceKey], new_without_row: Sequence[TraceKey]
    ) -> list[StoredTrace]:
        """Return what is stored of some traces; nothing for those that ClickHouse does not know.

        Args:
            lost: traces whose facts are read.
            new_without_row: traces whose facts are read only if a row of the trace is there.
        """
        found: dict[TraceKey, StoredTrace] = {}
        placed = await self._retry(lambda: placed_traces(self._warehouse, _named([*lost, *new_without_row])))
        for row in placed.to_pylist():
            key = TraceKey(row["project_id"], bytes.fromhex(row["trace_id"]))
            trace = found.setdefault(key, StoredTrace(key))
            trace.places.append(WindowKey(key.project_id, row["session_id"], row["window_start"]))
            trace.version = max(trace.version, row["version"])
        wanted = _named([*lost, *(key for key in new_without_row if key in found)])
        if wanted:
            for key, facts in facts_of(await self._retry(lambda: span_facts(self._warehouse, wanted))):
                found.setdefault(key, StoredTrace(key)).facts += facts
        return list(found.values())

    async def windows(
        self, lost: Sequence[WindowKey], new_without_row: Sequence[WindowKey]
    ) -> list[StoredWindow]:
        """Return what is stored of some session windows; nothing for those that ClickHouse does not know."""
        keys = [*lost, *new_without_row]
        found: dict[WindowKey, StoredWindow] = {}
        for contribution in contributions_of(
            await self._retry(lambda: window_contributions(self._warehouse, keys))
        ):
            found.setdefault(contribution.window, StoredWindow(contribution.window)).contributions.append(
                contribution
            )
        for row in (await self._retry(lambda: window_versions(self._warehouse, keys))).to_pylist():
            key = WindowKey(row["project_id"], row["session_id"], row["window_start"])
            window = found.setdefault(key, StoredWindow(key))
            window.version = max(window.version, row["version"])
        return list(found.values())

    async def database(self, table: str) -> Database:
        """Return which database this is, and the highest version of a row in a table."""
        return Database(*await self._retry(lambda: database(self._warehouse, table)))

    async def latest_ends(self, since: int) -> dict[str, int]:
        """Return when the last trace of each project ends that has one that ends after `since`; both in ms."""
        found = await self._retry(lambda: latest_ends(self._warehouse, since))
        return dict(zip(*found.to_pydict().values(), strict=True))


def _named(keys: Sequence[TraceKey]) -> list[tuple[str, str]]:
    return [(key.project_id, key.trace_id.hex()) for key in keys]
