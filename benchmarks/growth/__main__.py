"""What one more span costs as a trace grows, and one more trace as a session grows: µs of CPU, in one process.

python -m benchmarks.growth trace [--spans 50000] [--batch 10]
python -m benchmarks.growth session [--traces 100000] [--batch 10]

The stages themselves, without Kafka and ClickHouse: messages of facts in; rows, messages and changelog records out.
`benchmarks.growth.end_to_end` measures a worker and its database.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.load.growing import one_session, one_trace
from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.stored import Database
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS
from spanloom.spans.folding import facts
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode

NOW = 1_800_000_000_000
HOUR = 3_600_000
_LIMITS, _PRICES = Limits(), Prices()


async def nothing_stored(*_: Any) -> list[Any]:
    """ClickHouse is empty."""
    return []


class Nothing:
    """An empty ClickHouse."""

    async def database(self, _: str) -> Database:
        """Return its identity."""
        return Database("empty", is_empty=True)

    async def newest(self, _: Sequence[Any]) -> dict[Any, int]:
        """Return nothing: no row is there."""
        return {}

    async def latest_ends(self, _: int) -> Mapping[str, int]:
        """Return nothing: no clock was ahead."""
        return {}


async def nothing_to_forget(_: Sequence[Any]) -> list[Any]:
    """Nor is there anything to forget."""
    return []


def records(topic: str, values: Sequence[bytes], offset: int) -> list[SourceRecord]:
    """Return messages as a stage reads them; a millisecond apart."""
    return [
        SourceRecord(topic, 0, offset + number, NOW + offset + number, value, {})
        for number, value in enumerate(values)
    ]


def facts_messages(spans: bytes, version: int) -> list[bytes]:
    """Return what ingest sends on for an OTLP message."""
    table = decode([OtlpMessage(spans)], limits=_LIMITS, prices=_PRICES).table
    versions = pa.array(np.full(table.num_rows, version, np.uint64))
    return [value for _, value in facts.encode_table(table.append_column("version", versions), 1)]


def grow(kind: str, size: int, batch: int, report: Callable[[int, float], None]) -> None:
    """Feed batches; reports, at each twentieth of a power of ten, the CPU seconds a span or trace since the last."""
    traces_state = TracePartition(3600, HOUR, NOW - 10 * HOUR)
    sessions_state = SessionPartition(2 * HOUR, NOW - 10 * HOUR)
    traces = Traces(
        1, lambda: {0: traces_state}, nothing_stored, nothing_to_forget, Nothing(), now=lambda: NOW
    )
    sessions = Sessions(lambda: {0: sessions_state}, nothing_stored, Nothing())
    loop = asyncio.new_event_loop()
    source = (one_trace if kind == "trace" else one_session)(size, batch, NOW * 1_000_000)
    done = spent = since = 0.0
    offset = 0
    for number, spans in enumerate(source):
        values = facts_messages(spans, number * batch + 1)
        some = records(SPAN_FACTS, values, offset)
        started = time.process_time()
        writes: Writes = loop.run_until_complete(traces(some))
        passed_on = [one.value or b"" for one in writes.messages.get(TRACE_FACTS, [])]
        if passed_on:
            loop.run_until_complete(sessions(records(TRACE_FACTS, passed_on, offset)))
        spent += time.process_time() - started
        offset += len(values)
        done += batch
        since += batch
        if since >= 500 and (done <= 1000 or since >= size / 10):
            report(int(done), spent / since)
            spent = since = 0.0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("kind", choices=("trace", "session"))
    parser.add_argument("--spans", type=int, default=50_000)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=10, help="spans, or traces, in a batch")
    options = parser.parse_args()
    size = options.spans if options.kind == "trace" else options.traces
    unit = "spans" if options.kind == "trace" else "traces"
    first: list[float] = []

    def report(done: int, seconds: float) -> None:
        first.append(seconds)
        print(
            f"{done:>8} {unit}: {seconds * 1e6:8.1f} µs each, {seconds / first[0]:6.2f} times the first",
            flush=True,
        )

    grow(options.kind, size, options.batch, report)


if __name__ == "__main__":
    main()
