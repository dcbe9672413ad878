"""What more workers cost: `python -m benchmarks.workers.scale`, on Apache Kafka with 16 partitions.

For each number of workers a broker and a database of their own: the workers see a little first, so that their state
has a beginning; then the whole load is appended, and CPU time is counted until `sessions` shows every span. On a
machine with fewer cores than workers the wall says nothing; what a span costs in all of them does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.dashboard.queries import cpu_seconds
from benchmarks.exactness import differences, spans_in_sessions
from benchmarks.load.encode import messages
from benchmarks.load.load import Load
from benchmarks.parts import BenchmarkError, Installation
from benchmarks.produce import produce
from benchmarks.throughput import AHEAD, settled, warm_up
from benchmarks.workers.setting import Worker, kafka_stack

PARTITIONS = 16
PER_MESSAGE = 500

_LOOK = 0.25  # seconds between two queries of the view
_PATIENCE = 300.0  # seconds until a run counts as failed


@dataclass(frozen=True)
class Scaled:
    """One run; µs of CPU a span, user and system, of all threads."""

    workers: int
    spans: int
    wall: float
    """Seconds."""
    worker: float
    """Of all workers together."""
    shares: tuple[float, ...]
    """What part of it each of them took."""
    database: float
    broker: float
    wrong: tuple[str, ...]
    """A sentence for each difference from the truth."""


def run(folder: Path, workers: int, spans: int, seed: int) -> Scaled:
    """Measure so many workers.

    Raises:
        BenchmarkError: a part ended, or the spans did not come.
    """
    with contextlib.ExitStack() as parts:
        stack, kafka = parts.enter_context(kafka_stack(folder, PARTITIONS))
        started = [Worker(stack, number) for number in range(workers)]
        for one in started:
            parts.callback(one.process.stop)
        for one in started:
            one.wait()
        warm_up(stack, started[0].process)
        load = Load(spans, start=time.time_ns() + AHEAD * 1_000_000, seed=seed)
        values = messages(load.spans(), PER_MESSAGE)
        before = [one.process.cpu() for one in started]
        database, broker, began = stack.database.cpu(), cpu_seconds(kafka.pid), time.monotonic()
        asyncio.run(
            produce(stack.bootstrap_servers, "otlp_spans", values, ahead=AHEAD, partitions=PARTITIONS)
        )
        _until_shown(stack, started, load.truth.in_sessions().spans)
        count, wall = load.truth.all.spans, time.monotonic() - began
        used = [one.process.cpu() - earlier for one, earlier in zip(started, before, strict=True)]
        return Scaled(
            workers,
            count,
            wall,
            1e6 * sum(used) / count,
            tuple(each / sum(used) for each in used),
            1e6 * (stack.database.cpu() - database) / count,
            1e6 * (cpu_seconds(kafka.pid) - broker) / count,
            settled(lambda: differences(stack.query, load.truth), twice=False),
        )


def _until_shown(stack: Installation, workers: list[Worker], spans: int) -> None:
    end = time.monotonic() + _PATIENCE
    while (count := spans_in_sessions(stack)) != spans:
        for one in workers:
            one.process.check()
        if time.monotonic() > end:
            raise BenchmarkError(f"{count} of {spans} spans within {_PATIENCE:.0f} s; see {stack.folder}")
        time.sleep(_LOOK)


def main() -> None:
    """Run from the command line; exit code 1 if a result is not exact."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers.scale", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--most", type=int, default=4, help="workers at most (%(default)s)")
    parser.add_argument("--spans", type=int, default=100_000, help="%(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="%(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    arguments = parser.parse_args()
    found = []
    for number in range(1, arguments.rounds + 1):
        for workers in range(1, arguments.most + 1):
            with tempfile.TemporaryDirectory(prefix="spanloom-scale-") as folder:
                found.append(run(Path(folder), workers, arguments.spans, seed=number))
            if not arguments.json:
                print(report(found[-1]), flush=True)
    if arguments.json:
        print(json.dumps(list(map(asdict, found)), indent=2))
    if wrong := [sentence for one in found for sentence in one.wrong]:
        sys.exit("\n".join(wrong[:10]))


def report(one: Scaled) -> str:
    """A line for people."""
    return (
        f"{one.workers} workers: {one.worker:.0f} µs a span in all of them, shares "
        f"{', '.join(f'{share:.2f}' for share in one.shares)}; database {one.database:.0f}, broker {one.broker:.0f}; "
        f"{one.spans / one.wall:,.0f} spans a second; {'NOT EXACT' if one.wrong else 'exact'}"
    )


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
