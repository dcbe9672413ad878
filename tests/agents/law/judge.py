"""Runs a case, and compares what ClickHouse shows with all spans folded once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.ingest import Ingest
from spanloom.kafka.topics import TRACES_CHANGELOG
from spanloom.spans.folding.contribution import Contribution, WindowKey, contribution_of, window_start
from spanloom.spans.folding.facts import Fact, TraceKey, facts_of
from spanloom.spans.folding.rows import TraceRow, WindowRow, trace_table, window_table
from spanloom.spans.folding.session_fold import fold as fold_session
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from tests.agents.kept_facts import kept_facts
from tests.agents.law.cases import Case
from tests.agents.law.memory_warehouse import SORT_KEYS, SPANS, TRACES, WINDOWS, Key, Row, rows_of
from tests.agents.law.simulation import SOURCE, WINDOW, Simulation

Simulated = TypeVar("Simulated", bound=Simulation)

_LOOP = asyncio.new_event_loop()  # one for all cases: to make one costs more than a case
_PRICES = Prices()


def run(case: Case) -> Simulation:
    """Run a case to its end."""
    return run_as(Simulation, case)


def run_as(worker: type[Simulated], case: Case) -> Simulated:
    """Run a case to its end with a worker of this kind."""
    simulation = worker(case.began, served=case.served, partitions=case.partitions, pace=case.pace)
    for number, one in enumerate(case.messages):
        simulation.produce(case.payload(number), one.timestamp, one.partition)
    wait(simulation.run(case.steps))
    return simulation


def wait(what: Coroutine[Any, Any, None]) -> None:
    """Run something to its end."""
    _LOOP.run_until_complete(what)


def expected(
    case: Case, forgotten: Mapping[TraceKey, int], prices: Prices = _PRICES
) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """Return the rows of traces and of session windows that follow from the case's spans.

    Args:
        forgotten: by trace the version up to which its spans are forgotten.
        prices: what tokens cost.
    """
    return folded(
        [
            SourceRecord(SOURCE, one.partition, number, one.timestamp, case.payload(number), {})
            for number, one in enumerate(case.messages)
        ],
        forgotten,
        prices,
    )


def folded(
    records: list[SourceRecord], forgotten: Mapping[TraceKey, int], prices: Prices = _PRICES
) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """Return the rows of traces and of session windows that follow from records of the source topic."""
    by_trace: dict[TraceKey, dict[int, Fact]] = {}
    for key, facts in facts_of(_ingest(prices).prepare(records).rows[0][1]) if records else ():
        for fact in facts:
            if fact.version <= forgotten.get(key, 0):
                continue
            known = by_trace.setdefault(key, {}).get(fact.span_id)
            if known is None or known.version < fact.version:
                by_trace[key][fact.span_id] = fact
    traces: list[TraceRow] = []
    contributions: dict[WindowKey, list[Contribution]] = {}
    for key, by_id in by_trace.items():
        trace = fold(key, by_id.values())
        place = WindowKey(key.project_id, trace.session_id, window_start(trace.start_time, WINDOW))
        traces.append(TraceRow(key, place, 1, trace))
        if trace.session_id:
            contributions.setdefault(place, []).append(contribution_of(trace, place, 1))
    windows = [WindowRow(place, 1, fold_session(place, some)) for place, some in contributions.items()]
    return _live(TRACES, trace_table(traces)), _live(WINDOWS, window_table(windows))


def holds(case: Case) -> bool:
    """Whether the rows are those of all spans folded once, and no version named two contents."""
    simulation = run(case)
    warehouse = simulation.warehouse
    rows = warehouse.live(TRACES), warehouse.live(WINDOWS)
    return (
        rows == expected(case, simulation.forgotten)
        and not warehouse.ambiguous
        and spans_are_gone(simulation)
        and texts_are_gone(simulation)
    )


def differences(simulation: Simulation, rows: tuple[dict[Key, Row], dict[Key, Row]]) -> list[str]:
    """Return in words where ClickHouse shows something else than these rows of traces and windows, and which versions
    named two contents."""
    found = []
    for table, wanted in zip((TRACES, WINDOWS), rows, strict=True):
        shown = simulation.warehouse.live(table)
        for key in sorted(shown.keys() | wanted.keys()):
            one, other = shown.get(key), wanted.get(key)
            if one is None or other is None:
                found.append(f"{table} {key} is {'not there' if one is None else 'there and must not be'}")
            else:
                found += [
                    f"{table} {key}: {name} is {one[name]!r}, not {other[name]!r}"
                    for name in one
                    if one[name] != other[name]
                ]
    for one, other in simulation.warehouse.ambiguous:
        what = [f"{name}: {one[name]!r} and {other[name]!r}" for name in one if one[name] != other[name]]
        found.append(f"version {one['version']} was given twice: {', '.join(what)}")
    return found


def spans_are_gone(simulation: Simulation) -> bool:
    """Whether no span is shown that was forgotten."""
    return all(
        row["version"]
        > simulation.forgotten.get(TraceKey(row["project_id"], bytes.fromhex(row["trace_id"])), 0)
        for row in simulation.warehouse.tables[SPANS].values()
        if not row.get("is_deleted")
    )


def texts_are_gone(simulation: Simulation) -> bool:
    """Whether the changelogs, compacted, hold no fact that was forgotten."""
    simulation.log.compact(TRACES_CHANGELOG)
    return all(
        fact.version > simulation.forgotten.get(key, 0)
        for partition in simulation.log.partitions(TRACES_CHANGELOG)
        for record in simulation.log.all(partition)
        for key, facts in kept_facts(record.key, record.value)
        for fact in facts
    )


@lru_cache
def _ingest(prices: Prices) -> Ingest:
    return Ingest(1, Limits(), prices, now=lambda: 0)


def _live(name: str, table: Any) -> dict[Key, Row]:
    return {
        tuple(row[column] for column in SORT_KEYS[name]): {
            column: value for column, value in row.items() if column not in ("version", "is_deleted")
        }
        for row in rows_of(table)
    }
