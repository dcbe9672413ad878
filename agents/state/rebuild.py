"""Rebuilds state that was forgotten or lost from what ClickHouse has stored, so that late spans are not lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from spanloom.agents.retry import Retry
from spanloom.agents.state.stored import Database, StoredTrace, StoredWindow
from spanloom.spans.folding.contribution import WindowKey, withdrawn
from spanloom.spans.folding.facts import Fact, TraceKey, facts_of
from spanloom.spans.folding.rows import contributions_of
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.lookup import (
    database,
    forgotten_up_to,
    latest_ends,
    placed_traces,
    span_facts,
    span_versions,
    window_contributions,
    window_versions,
    window_withdrawals,
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
        found = await self._placed([*lost, *new_without_row])
        wanted = _named([*lost, *(key for key in new_without_row if key in found)])
        if wanted:
            for key, facts in facts_of(await self._retry(lambda: span_facts(self._warehouse, wanted))):
                found.setdefault(key, StoredTrace(key)).facts += facts
            await self._add_forgotten(found, wanted)
        return list(found.values())

    async def traces_to_forget(self, keys: Sequence[TraceKey]) -> list[StoredTrace]:
        """Return what is stored of some traces, of their spans only ID, start and version."""
        named = _named(keys)
        found = await self._placed(keys)
        spans = await self._retry(lambda: span_versions(self._warehouse, named))
        starts = spans["start_time"].cast(pa.int64()).to_pylist()
        for row, start in zip(spans.drop_columns(["start_time"]).to_pylist(), starts, strict=True):
            key = _key(row)
            span = Fact(int(row["span_id"], 16), start_time=start, version=row["version"])
            found.setdefault(key, StoredTrace(key)).facts.append(span)
        await self._add_forgotten(found, named)
        return list(found.values())

    async def _add_forgotten(
        self, found: dict[TraceKey, StoredTrace], wanted: Sequence[tuple[str, str]]
    ) -> None:
        for row in (await self._retry(lambda: forgotten_up_to(self._warehouse, wanted))).to_pylist():
            key = _key(row)
            found.setdefault(key, StoredTrace(key)).forgotten = row["version"]

    async def _placed(self, keys: Sequence[TraceKey]) -> dict[TraceKey, StoredTrace]:
        found: dict[TraceKey, StoredTrace] = {}
        for row in (await self._retry(lambda: placed_traces(self._warehouse, _named(keys)))).to_pylist():
            key = _key(row)
            trace = found.setdefault(key, StoredTrace(key))
            trace.places.append(WindowKey(key.project_id, row["session_id"], row["window_start"]))
            trace.version = max(trace.version, row["version"])
        return found

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
        for row in (await self._retry(lambda: window_withdrawals(self._warehouse, keys))).to_pylist():
            key = WindowKey(row["project_id"], row["session_id"], row["window_start"])
            found.setdefault(key, StoredWindow(key)).contributions.append(
                withdrawn(_key(row), key, row["newest"])
            )
        for row in (await self._retry(lambda: window_versions(self._warehouse, keys))).to_pylist():
            key = WindowKey(row["project_id"], row["session_id"], row["window_start"])
            window = found.setdefault(key, StoredWindow(key))
            window.version = max(window.version, row["version"])
        return list(found.values())

    async def database(self, table: str) -> Database:
        """Return which database this is, and what is known of a table."""
        return Database(*await self._retry(lambda: database(self._warehouse, table)))

    async def newest(self, keys: Sequence[TraceKey] | Sequence[WindowKey]) -> dict[TraceKey | WindowKey, int]:
        """Return the highest version of the row of each trace, or each session window, that has one."""
        traces = [key for key in keys if isinstance(key, TraceKey)]
        windows = [key for key in keys if isinstance(key, WindowKey)]
        found: dict[TraceKey | WindowKey, int] = {}
        if traces:
            found |= {key: trace.version for key, trace in (await self._placed(traces)).items()}
        if windows:
            rows = await self._retry(lambda: window_versions(self._warehouse, windows))
            for row in rows.to_pylist():
                window = WindowKey(row["project_id"], row["session_id"], row["window_start"])
                found[window] = max(found.get(window, 0), row["version"])
        return found

    async def latest_ends(self, since: int) -> dict[str, int]:
        """Return when the last trace of each project ends that has one that ends after `since`; both in ms."""
        found = await self._retry(lambda: latest_ends(self._warehouse, since))
        return dict(zip(*found.to_pydict().values(), strict=True))


def _key(row: Mapping[str, Any]) -> TraceKey:
    return TraceKey(row["project_id"], bytes.fromhex(row["trace_id"]))


def _named(keys: Sequence[TraceKey]) -> list[tuple[str, str]]:
    return [(key.project_id, key.trace_id.hex()) for key in keys]
