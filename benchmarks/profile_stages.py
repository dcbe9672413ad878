"""What each step of the way costs, in one process and without servers: µs of CPU a span, step by step.

The steps are those of `agents/`, called as the agents call them, on one batch of messages after the other.
What Faust, Kafka and the HTTP client add is not in it (`benchmarks.throughput` has it). `--cprofile STEP`
shows the functions of one step.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import lz4.frame  # type: ignore[import-untyped]
import numpy as np
import pyarrow as pa

from benchmarks.load.encode import SPANS_PER_MESSAGE, messages
from benchmarks.load.kinds import KINDS
from benchmarks.load.load import Load
from benchmarks.load.work import Work
from benchmarks.produce import PARTITIONS
from spanloom.agents.stages.ingest import stored_rows
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.traces import TracePartition
from spanloom.spans.folding import contribution, facts
from spanloom.spans.folding.facts import partition_of
from spanloom.spans.folding.rows import trace_table, window_table
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import Decoded, OtlpMessage, decode
from spanloom.spans.reading.rows.decode import decode as by_row

Result = TypeVar("Result")

STEPS = {
    "decode": "OTLP bytes to the span table",
    "spans: rows": "each text once, in the order of the table",
    "spans: insert body": "span table to lz4-compressed Arrow, as the client sends it",
    "facts: encode": "span table to messages of facts",
    "facts: decode": "messages of facts to facts",
    "traces: apply": "facts into the state of the traces",
    "traces: collect": "fold, changelog records, rows",
    "traces: table": "rows of traces to Arrow",
    "contributions: encode": "contributions to messages",
    "contributions: decode": "messages to contributions",
    "sessions: apply": "contributions into the state of the sessions",
    "sessions: collect": "fold, changelog records, rows",
    "sessions: table": "rows of session windows to Arrow",
}
"""The steps in their order."""

REFERENCE = "decode: row by row"
"""What decoding in columns is compared with; no step of a worker, so it is not in the sum."""


class Clock:
    """Adds up CPU time by step; profiles one of them."""

    def __init__(self, profiled: str | None) -> None:
        self.seconds = dict.fromkeys((*STEPS, REFERENCE), 0.0)
        self.profile = cProfile.Profile()
        self._profiled = profiled

    def __call__(self, step: str, work: Callable[[], Result]) -> Result:
        """Do `work` as part of `step`."""
        with self._profiling(step):
            started = time.process_time()
            result = work()
            self.seconds[step] += time.process_time() - started
        return result

    @contextmanager
    def _profiling(self, step: str) -> Any:
        if step != self._profiled:
            yield
            return
        self.profile.enable()
        try:
            yield
        finally:
            self.profile.disable()


class Pipeline:
    """The three stages in a row, without anything between them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._prices = Prices()
        self._traces = [TracePartition(3600, 3_600_000, 0) for _ in range(PARTITIONS)]
        self._sessions = [SessionPartition(3_600_000, 0) for _ in range(PARTITIONS)]
        self._offset = 0

    def batch(self, values: list[bytes]) -> None:
        """Work on one batch of OTLP messages."""
        clock, now = self._clock, time.time_ns() // 1_000_000
        self._offset += 1
        some = [OtlpMessage(value) for value in values]
        decoded = self._decode(some)
        versions = np.full(decoded.table.num_rows, now << 22 | self._offset, np.uint64)
        table = decoded.table.append_column(pa.field("version", pa.uint64(), False), pa.array(versions))
        rows_of_spans = clock("spans: rows", lambda: stored_rows(table))
        clock("spans: insert body", lambda: insert_body(rows_of_spans))
        sent = clock("facts: encode", lambda: list(facts.encode_table(table, PARTITIONS)))
        read = clock(
            "facts: decode", lambda: [(number, facts.decode(value), value) for number, value in sent]
        )

        def apply_facts() -> None:
            for number, traces, value in read:
                self._traces[number].apply(traces, value, now, self._offset)

        clock("traces: apply", apply_facts)
        changes = clock("traces: collect", lambda: [state.collect() for state in self._traces])
        rows = [row for change in changes for row in change.rows]
        clock("traces: table", lambda: insert_body(trace_table(rows)))
        self._sessions_stage([one for change in changes for one in change.contributions], now)

    def _decode(self, some: list[OtlpMessage]) -> Decoded:
        ways = {"decode": decode, REFERENCE: by_row}
        # In turns: whoever comes second finds in the caches what the first has read.
        order = list(ways) if self._offset % 2 else list(ways)[::-1]
        found = {
            step: self._clock(step, partial(ways[step], some, limits=Limits(), prices=self._prices))
            for step in order
        }
        return found["decode"]

    def _sessions_stage(self, changed: list[contribution.Contribution], now: int) -> None:
        clock = self._clock
        by_partition: dict[int, list[contribution.Contribution]] = {}
        for one in changed:
            target = partition_of((one.window.project_id, one.window.session_id.encode()), PARTITIONS)
            by_partition.setdefault(target, []).append(one)
        encoded = clock(
            "contributions: encode",
            lambda: [(n, value) for n, some in by_partition.items() for value in contribution.encode(some)],
        )
        decoded = clock(
            "contributions: decode", lambda: [(n, list(contribution.decode(value))) for n, value in encoded]
        )

        def apply() -> None:
            for number, some in decoded:
                self._sessions[number].apply([(one.window, one) for one in some], b"", now, self._offset)

        clock("sessions: apply", apply)
        changes = clock("sessions: collect", lambda: [state.collect() for state in self._sessions])
        rows = [row for change in changes for row in change.rows]
        clock("sessions: table", lambda: insert_body(window_table(rows)))


def insert_body(table: pa.Table) -> int:
    """What clickhouse-connect does with a table: Arrow's stream, compressed with lz4; returns the bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return len(lz4.frame.compress(sink.getvalue()))


def main() -> None:
    """Run from the command line."""
    gc.set_threshold(100_000, 50, 100)  # as the worker does
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profile_stages", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--spans", type=int, default=50_000, help="spans in all (%(default)s)")
    parser.add_argument("--kind", choices=KINDS, default="chat", help="kind of load (%(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="messages a batch (%(default)s)")
    parser.add_argument(
        "--per-message", type=int, default=SPANS_PER_MESSAGE, help="spans a message (%(default)s)"
    )
    parser.add_argument("--cprofile", choices=STEPS, metavar="STEP", help=f"one of: {', '.join(STEPS)}")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    arguments = parser.parse_args()

    # Imports and caches come first, as in a worker that has run for a while.
    Pipeline(Clock(None)).batch(list(messages(Load(2_000, start=time.time_ns(), seed=0).spans())))
    clock = Clock(arguments.cprofile)
    pipeline = Pipeline(clock)
    work = Work(arguments.spans, arguments.kind, arguments.per_message)
    load = work.load()
    batch: list[bytes] = []
    for value in work.values(load):
        batch.append(value)
        if len(batch) == arguments.batch:
            pipeline.batch(batch)
            batch = []
    if batch:
        pipeline.batch(batch)

    spans = load.truth.all.spans
    per_span = {step: 1e6 * seconds / spans for step, seconds in clock.seconds.items()}
    if arguments.json:
        print(json.dumps({"spans": spans, "microseconds_per_span": per_span}, indent=2))
        return
    for step, meaning in STEPS.items():
        print(f"{step:22} {per_span[step]:7.2f} µs a span  {meaning}")
    total = sum(per_span[step] for step in STEPS)
    print(f"{'all':22} {total:7.2f} µs a span  {1e6 / total:,.0f} spans a CPU-second")
    print(
        f"{REFERENCE:22} {per_span[REFERENCE]:7.2f} µs a span  what decoding is compared with, not in the sum"
    )
    if arguments.cprofile:
        pstats.Stats(clock.profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
