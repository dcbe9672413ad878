"""What more workers cost: `python -m benchmarks.workers.scale`, on Apache Kafka with 16 partitions.

For each number of workers a broker and a database of their own: the workers see a little first, so that their state
has a beginning; then the whole load is appended, and CPU time is counted until `sessions` shows every span. On a
machine with fewer cores than workers the wall says nothing; what a span costs in all of them does. It also shows what
a span takes of the broker's logs and of the database's disk.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
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
from tests.fixtures_kafka import KafkaServer

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
    topics: dict[str, float]
    """Bytes that a span added to the log of each topic, as packed by who wrote it."""
    tables: dict[str, float]
    """Bytes on disk that it added to each table."""
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
        logs, parts_before = _logs(kafka), _parts(stack)
        before = [one.process.cpu() for one in started]
        database, broker, began = stack.database.cpu(), cpu_seconds(kafka.pid), time.monotonic()
        asyncio.run(
            produce(stack.bootstrap_servers, "otlp_spans", values, ahead=AHEAD, partitions=PARTITIONS)
        )
        _until_shown(stack, started, load.truth.in_sessions().spans)
        count, wall = load.truth.all.spans, time.monotonic() - began
        used = [one.process.cpu() - earlier for one, earlier in zip(started, before, strict=True)]
        database_used, broker_used = stack.database.cpu() - database, cpu_seconds(kafka.pid) - broker
        wrong = settled(lambda: differences(stack.query, load.truth), twice=False)
        return Scaled(
            workers,
            count,
            wall,
            1e6 * sum(used) / count,
            tuple(each / sum(used) for each in used),
            1e6 * database_used / count,
            1e6 * broker_used / count,
            _added(_logs(kafka), logs, count),
            _added(_parts(stack), parts_before, count),
            wrong,
        )


def _logs(kafka: KafkaServer) -> Counter[str]:
    """Bytes in the logs of each topic."""
    sizes: Counter[str] = Counter()
    for log in kafka.data.glob("*/*.log"):
        sizes[log.parent.name.rpartition("-")[0]] += log.stat().st_size
    return sizes


def _parts(stack: Installation) -> Counter[str]:
    """Bytes on disk of each table."""
    rows = stack.query(
        "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database != 'system'"
        " GROUP BY table"
    )
    return Counter({row["table"]: int(row["bytes"]) for row in rows})


def _added(after: Counter[str], before: Counter[str], spans: int) -> dict[str, float]:
    return {name: added / spans for name, added in (after - before).most_common()}


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
    parser.add_argument("--workers", type=int, action="append", help="how many; may be repeated (1, 2, 3, 4)")
    parser.add_argument("--spans", type=int, default=100_000, help="%(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="%(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    arguments = parser.parse_args()
    found = []
    for number in range(1, arguments.rounds + 1):
        for workers in arguments.workers or (1, 2, 3, 4):
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
        f"{one.spans / one.wall:,.0f} spans a second; {'NOT EXACT' if one.wrong else 'exact'}\n"
        f"   bytes a span in topics: {_listed(one.topics)}; in tables: {_listed(one.tables)}"
    )


def _listed(sizes: dict[str, float]) -> str:
    return ", ".join(f"{name} {size:.0f}" for name, size in sizes.items() if size >= 1)


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
