"""What a steady load costs, and an idle installation: `python -m benchmarks.workers.steady`.

One worker, the local broker and database. A Collector is imitated: it sends what came in 0.2 s in one message, or a
trace of ten spans as soon as there is one. Nobody asks the database for anything meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.live import SPANS, send_live
from benchmarks.parts import BenchmarkError, Stack, answers, local_stack, worker

_BATCH = 0.2  # seconds: `timeout` of the Collector's batch processor
_BEFORE = 5.0  # seconds of the load, or of nothing, that are not measured
_COUNT = "SELECT sum(span_count) AS spans FROM spanloom.sessions"


@dataclass(frozen=True)
class Steady:
    """One rate; cores that were kept busy on average."""

    rate: float
    """Spans a second."""
    worker: float
    database: float
    broker: float
    worker_memory: int
    """Bytes, at the end."""


async def measure(stack: Stack, rate: float, seconds: float) -> Steady:
    """Keep a rate up for so many seconds.

    Raises:
        BenchmarkError: the worker has not kept up.
    """
    process, url = worker(stack, f"worker-{rate:g}")
    try:
        process.wait_until(lambda: answers(f"{url}/ready"), "the worker is ready")
        sending = asyncio.create_task(_send(stack, rate, seconds))
        await asyncio.sleep(_BEFORE)
        parts = process, stack.database, stack.broker
        began, before = time.monotonic(), [part.cpu() for part in parts]
        await asyncio.sleep(seconds)
        passed = time.monotonic() - began
        own, database, broker = (
            (part.cpu() - earlier) / passed for part, earlier in zip(parts, before, strict=True)
        )
        memory = process.rss()
        spans = await sending
        process.wait_until(lambda: _spans(stack) >= spans, f"all {spans} spans are there", 10.0)
        return Steady(rate, own, database, broker, memory)
    finally:
        process.stop()


async def _send(stack: Stack, rate: float, seconds: float) -> int:
    if not rate:
        return 0
    before = _spans(stack)
    traces = max(1, round(rate / SPANS * _BATCH))
    each = traces * SPANS
    return before + each * await send_live(stack.bootstrap_servers, rate / each, _BEFORE + seconds, traces)


def _spans(stack: Stack) -> int:
    return int(stack.query(_COUNT)[0]["spans"])


def report(one: Steady) -> str:
    """A line for people."""
    cores = one.worker, one.database, one.broker
    each = [f"{1e6 * part / one.rate:,.0f}" for part in cores] if one.rate else ["-"] * 3
    return (
        f"{one.rate:g} spans a second: cores of the worker {one.worker:.3f}, database {one.database:.3f}, broker"
        f" {one.broker:.3f}; µs a span {', '.join(each)}; worker {one.worker_memory / 1e6:.0f} MB"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers.steady", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rate", type=float, action="append", help="spans a second (0, 1, 10, 100, 1000)")
    parser.add_argument("--seconds", type=float, default=60, help="how long each is measured (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    arguments = parser.parse_args()
    found = []
    for rate in arguments.rate or (0, 1, 10, 100, 1000):
        with (
            tempfile.TemporaryDirectory(prefix="spanloom-steady-") as folder,
            local_stack(Path(folder)) as stack,
        ):
            found.append(asyncio.run(measure(stack, rate, arguments.seconds)))
        if not arguments.json:
            print(report(found[-1]), flush=True)
    if arguments.json:
        print(json.dumps(list(map(asdict, found)), indent=2))


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
