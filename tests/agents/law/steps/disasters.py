"""What may happen to a worker between two batches: what was stored is read again, or a part of it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from spanloom.agents.state.clock import record_of, timestamp_of
from spanloom.kafka.topics import PROJECT_HEADER, REPLAY_HEADER, TRACES_CHANGELOG
from spanloom.spans.folding.erasure import erased_up_to
from spanloom.spans.folding.facts import TraceKey
from spanloom.spans.pricing.price_table import PriceTable
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.stored.messages import STORED_SPANS, messages
from tests.agents.law.memory_warehouse import SPANS, Key, MemoryWarehouse, Row
from tests.agents.law.simulation import CHANGELOGS, SOURCE, Simulation

DEAR = Prices(PriceTable([{"model": "gpt-4o-mini", "input": 700.0, "output": 900.0}]))
"""Prices that differ from those of the public table."""


@dataclass(frozen=True)
class Replay:
    """`spanloom replay` of all stored spans, by other prices."""

    prices: Prices = DEAR

    async def happen(self, simulation: Simulation) -> None:
        """A worker with these prices starts, and gets the spans that ClickHouse has once more."""
        simulation.prices = self.prices
        simulation.restart()
        for message in messages(
            stored_spans(simulation.warehouse),
            lambda *_: 0,
            lambda version: (record_of(version), timestamp_of(version)),
        ):
            headers = [(REPLAY_HEADER, b"1"), (PROJECT_HEADER, message.project_id.encode())]
            simulation.produce(message.value, simulation.now, message.partition, headers)


@dataclass(frozen=True)
class LoseChangelogs:
    """Changelogs are gone; what was acknowledged stays so, and so does the database."""

    topics: tuple[str, ...] = CHANGELOGS

    async def happen(self, simulation: Simulation) -> None:
        """The worker starts anew."""
        for topic in self.topics:
            simulation.log.empty(topic)
        simulation.restart()


@dataclass(frozen=True)
class BeginAnew:
    """Another worker has written to a changelog."""

    topic: str = TRACES_CHANGELOG

    async def happen(self, simulation: Simulation) -> None:
        """It is emptied, and its state begins anew."""
        await simulation.begin_anew(self.topic)


@dataclass(frozen=True)
class Restart:
    """The worker is restarted, with another retention if one is given (seconds)."""

    retention: int | None = None

    async def happen(self, simulation: Simulation) -> None:
        """It comes back with what the changelogs hold."""
        simulation.retention = self.retention or simulation.retention
        simulation.restart()


@dataclass(frozen=True)
class Erase:
    """An erasure that was held up since somebody had a trace forgotten up to a time (ms)."""

    trace: int
    until: int

    async def happen(self, simulation: Simulation) -> None:
        """It comes."""
        simulation.erase(TraceKey("default", self.trace.to_bytes(16)), erased_up_to(self.until))


@dataclass(frozen=True)
class Rewind:
    """Kafka's spans are read again."""

    async def happen(self, simulation: Simulation) -> None:
        """The worker starts from the beginning."""
        simulation.log.rewind(SOURCE)
        simulation.restart()


@dataclass(frozen=True)
class OtherDatabase:
    """The database is gone, and the changelogs are kept.

    `copy` is an older copy that is there instead: the tables by name. Without one the new database is empty.
    `rewound` is whether what Kafka has of spans is read again.
    """

    copy: Mapping[str, Mapping[Key, Row]] | None = field(default=None, compare=False)
    rewound: bool = True

    async def happen(self, simulation: Simulation) -> None:
        """The worker starts on the other database."""
        lost, simulation.warehouse = simulation.warehouse, MemoryWarehouse()
        simulation.warehouse.identity = f"{lost.identity}, lost"
        if self.copy is not None:
            simulation.warehouse.identity = lost.identity
            simulation.warehouse.tables = {name: dict(rows) for name, rows in self.copy.items()}
        if self.rewound:
            simulation.log.rewind(SOURCE)
        simulation.restart()


def copied(warehouse: MemoryWarehouse) -> dict[str, dict[Key, Row]]:
    """Return a copy of the tables."""
    return {name: dict(rows) for name, rows in warehouse.tables.items()}


def stored_spans(warehouse: MemoryWarehouse) -> pa.Table:
    """Return all spans, trace by trace, as STORED_SPANS."""
    rows = sorted(
        (row for row in warehouse.tables[SPANS].values() if not row.get("is_deleted")),
        key=lambda row: (row["project_id"], row["trace_id"], row["version"]),
    )
    return pa.table(
        [_column([row[one.name] for row in rows], one.type) for one in STORED_SPANS], STORED_SPANS
    )


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
