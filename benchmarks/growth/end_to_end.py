"""What one more span costs as a trace grows, and one more trace as a session grows, for a worker and its database.

python -m benchmarks.growth.end_to_end trace [--sizes 500 5000 50000]
python -m benchmarks.growth.end_to_end session [--sizes 500 10000 100000]

The local broker and database, one worker. At each size messages of ten come at a steady pace for a while, so that
batches are small; the CPU time until the view `sessions` shows all of them is what they cost. Between the sizes it
grows fast.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.load.growing import one_session, one_trace
from benchmarks.parts import BenchmarkError, Process, Stack, answers, local_stack, worker
from benchmarks.produce import PARTITIONS, produce, producer

_EACH = 10
"""Spans, or traces, a message."""
_SIZES = {"trace": (500, 5000, 50_000), "session": (500, 10_000, 100_000)}
_COUNT = {"trace": "span_count", "session": "trace_count"}
_DEADLINE = 300.0


@dataclass(frozen=True)
class Cost:
    """What one more costs at a size; µs of CPU."""

    size: int
    worker: float
    database: float


def shown(stack: Stack, kind: str) -> int:
    """How many spans, or traces, the view `sessions` shows."""
    return int(stack.query(f"SELECT sum({_COUNT[kind]}) AS n FROM spanloom.sessions")[0]["n"])


async def at_a_pace(stack: Stack, values: Iterator[bytes], rate: float) -> int:
    """Append messages, so many a second; returns their number."""
    sender = producer(stack.bootstrap_servers)
    await sender.start()
    try:
        began = time.monotonic()
        number = 0
        for number, value in enumerate(values, 1):
            await sender.send_and_wait("otlp_spans", value, partition=number % PARTITIONS)
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        return number
    finally:
        await sender.stop()


def measure(
    stack: Stack, process: Process, kind: str, sizes: list[int], messages: int, rate: float
) -> list[Cost]:
    """Return what one more costs at each size."""
    make = one_trace if kind == "trace" else one_session
    values = make(sizes[-1] + 2 * messages * _EACH, _EACH, time.time_ns())
    sent, costs = 0, []
    for size in sizes:
        filling = itertools.islice(values, max(0, size // _EACH - sent))
        sent += asyncio.run(produce(stack.bootstrap_servers, "otlp_spans", filling))
        until = sent * _EACH
        process.wait_until(lambda until=until: shown(stack, kind) == until, f"{until} shown", _DEADLINE)  # type: ignore[misc]
        time.sleep(2)
        before = process.cpu(), stack.database.cpu()
        sent += asyncio.run(at_a_pace(stack, itertools.islice(values, messages), rate))
        until = sent * _EACH
        process.wait_until(lambda until=until: shown(stack, kind) == until, f"{until} shown", _DEADLINE)  # type: ignore[misc]
        spent = process.cpu() - before[0], stack.database.cpu() - before[1]
        costs.append(Cost(size, *(1e6 * seconds / messages / _EACH for seconds in spent)))
    return costs


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth.end_to_end", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("kind", choices=tuple(_SIZES))
    parser.add_argument("--sizes", type=int, nargs="+", help="spans, or traces, at which to measure")
    parser.add_argument("--messages", type=int, default=400, help="at each size (%(default)s)")
    parser.add_argument("--rate", type=float, default=20, help="messages a second (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    options = parser.parse_args()
    sizes = sorted(options.sizes or _SIZES[options.kind])
    with tempfile.TemporaryDirectory(prefix="spanloom-benchmark-") as temporary:
        folder: Path = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with local_stack(folder) as stack:
            process, url = worker(stack)
            try:
                process.wait_until(lambda: answers(f"{url}/ready"), "the worker is ready")
                costs = measure(stack, process, options.kind, sizes, options.messages, options.rate)
            except BenchmarkError as error:
                sys.exit(str(error))
            finally:
                process.stop()
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs], indent=2))
        return
    print(f"{'size':>9} {'worker µs':>12} {'database µs':>12} {'both, times the first':>22}")
    for cost in costs:
        times = (cost.worker + cost.database) / (costs[0].worker + costs[0].database)
        print(f"{cost.size:>9,} {cost.worker:>12.0f} {cost.database:>12.0f} {times:>22.2f}")


if __name__ == "__main__":
    main()
