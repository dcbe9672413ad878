"""Finds state again in ClickHouse that was forgotten or lost: late is not lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spanloom.agents.patience import Patience
from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.facts import Fact, TraceKey, facts_of
from spanloom.spans.folding.rows import contributions_of
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.read import placed_traces, span_facts, window_contributions, window_versions


@dataclass(slots=True)
class StoredTrace:
    """A trace as ClickHouse knows it: its facts, the places where rows of it stand, the newest row's version."""

    key: TraceKey
    facts: list[Fact] = field(default_factory=list)
    places: list[WindowKey] = field(default_factory=list)
    version: int = 0


@dataclass(slots=True)
class StoredWindow:
    """A session window as ClickHouse knows it: from the rows of its traces, and its own row's version."""

    key: WindowKey
    contributions: list[Contribution] = field(default_factory=list)
    version: int = 0


class Rebuild:
    """Reads state back; waits as long as ClickHouse is away."""

    def __init__(self, warehouse: Warehouse, patience: Patience) -> None:
        self._warehouse = warehouse
        self._patience = patience

    async def traces(self, lost: Sequence[TraceKey], perhaps: Sequence[TraceKey]) -> list[StoredTrace]:
        """Return what is stored of some traces; nothing for those that ClickHouse does not know.

        Args:
            lost: traces whose facts are asked for.
            perhaps: traces whose facts are asked for only if a row of the trace is there.
        """
        found: dict[TraceKey, StoredTrace] = {}
        placed = await self._patience(lambda: placed_traces(self._warehouse, _named([*lost, *perhaps])))
        for row in placed.to_pylist():
            key = TraceKey(row["project_id"], bytes.fromhex(row["trace_id"]))
            trace = found.setdefault(key, StoredTrace(key))
            trace.places.append(WindowKey(key.project_id, row["session_id"], row["window_start"]))
            trace.version = max(trace.version, row["version"])
        wanted = _named([*lost, *(key for key in perhaps if key in found)])
        if wanted:
            for key, facts in facts_of(await self._patience(lambda: span_facts(self._warehouse, wanted))):
                found.setdefault(key, StoredTrace(key)).facts += facts
        return list(found.values())

    async def windows(self, keys: Sequence[WindowKey]) -> list[StoredWindow]:
        """Return what is stored of these session windows; nothing for those that ClickHouse does not know."""
        found: dict[WindowKey, StoredWindow] = {}
        for contribution in contributions_of(
            await self._patience(lambda: window_contributions(self._warehouse, keys))
        ):
            found.setdefault(contribution.window, StoredWindow(contribution.window)).contributions.append(
                contribution
            )
        for row in (await self._patience(lambda: window_versions(self._warehouse, keys))).to_pylist():
            key = WindowKey(row["project_id"], row["session_id"], row["window_start"])
            window = found.setdefault(key, StoredWindow(key))
            window.version = max(window.version, row["version"])
        return list(found.values())


def _named(keys: Sequence[TraceKey]) -> list[tuple[str, str]]:
    return [(key.project_id, key.trace_id.hex()) for key in keys]
