"""How many spans a worker handles in a second of its CPU time, from the topic to the view `sessions`.

1. start a broker and a database of its own, in a temporary folder;
2. let a worker see a little first and stop it: its state then has a beginning, as that of a worker in service
   (`--cold` leaves this out: then every trace is older than the state, and is looked up in ClickHouse);
3. append the whole load to the topic, so that nothing but the worker sets the pace;
4. start one worker; note its CPU time when it reports ready and when `sessions` shows every span;
5. compare every session with the truth.

`benchmarks.comparison` puts it beside what else people would build, in every kind of load.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import get_args

from benchmarks.exactness import differences, spans_in_sessions
from benchmarks.load.encode import SPANS_PER_MESSAGE, messages
from benchmarks.load.kinds import KINDS
from benchmarks.load.load import Load
from benchmarks.load.work import Compression, Work
from benchmarks.parts import BenchmarkError, Installation, Process, Stack, answers, local_stack, worker
from benchmarks.produce import produce

AHEAD = 600_000
"""The load is dated so far ahead, ms: it then begins when the state has been kept for longer than applications' clocks
may be off, as with a worker that has been in service for ten minutes. Before that all is looked up."""

WARM_UP_SPANS = 2_000
_LOOK = 0.25  # seconds between two queries of the view
_LOOKS = 20  # queries of which one's CPU time is taken, which is counted in steps of 10 ms
_PATIENCE = 60.0  # seconds without news until a run counts as failed
_SETTLED = 20.0  # seconds until what has no session is there as well


@dataclass(frozen=True)
class Measured:
    """One run; times in seconds, memory in bytes. CPU times are user and system, of all threads."""

    name: str
    spans: int
    wall: float
    """From ready until `sessions` shows every span."""
    cpu_since_ready: float
    cpu_in_all: float
    """From the start of the process: Python's imports, joining the group."""
    database_cpu: float
    """In the same time as `wall`; the queries of the view included."""
    looking_cpu: float
    """Of it, what those queries took: as many as there were, each as long as the same one right after the end."""
    broker_cpu: float
    peak_rss: int
    wrong: tuple[str, ...] = ()
    """A sentence for each difference from the truth."""

    @property
    def exact(self) -> bool:
        """Whether everything was as it should be."""
        return not self.wrong

    @property
    def spans_per_cpu_second(self) -> float:
        """The number to compare: from ready until done."""
        return self.spans / self.cpu_since_ready


def measure(
    name: str, stack: Stack, process: Process, ready: Callable[[], bool], done: Callable[[], int], spans: int
) -> Measured:
    """Wait until a worker that has just been started is ready and until `done` counts all spans.

    What is wrong is still to be found out.
    """
    while True:
        # Noted before each question, so that no work can hide between the note and the answer.
        cpu, database, broker = process.cpu(), stack.database.cpu(), stack.broker.cpu()
        started = time.monotonic()
        if ready():
            break
        time.sleep(0.02)
    seen, last_news, looks = -1, time.monotonic(), 1
    while (count := done()) != spans:
        looks += 1
        if count != seen:
            seen, last_news = count, time.monotonic()
        elif time.monotonic() - last_news > _PATIENCE:
            raise BenchmarkError(f"{name}: {seen} of {spans} spans, and no more; see {process.log}")
        process.check()
        time.sleep(_LOOK)
    end = process.cpu()
    measured = Measured(
        name=name,
        spans=spans,
        wall=time.monotonic() - started,
        cpu_since_ready=end - cpu,
        cpu_in_all=end,
        database_cpu=stack.database.cpu() - database,
        looking_cpu=0.0,
        broker_cpu=stack.broker.cpu() - broker,
        peak_rss=process.peak_rss(),
    )
    before = stack.database.cpu()
    for _ in range(_LOOKS):
        done()
    return replace(measured, looking_cpu=looks * (stack.database.cpu() - before) / _LOOKS)


def settled(look: Callable[[], Iterable[str]], twice: bool) -> tuple[str, ...]:
    """Return what differs from the truth once it has had 20 s to come right.

    Args:
        twice: messages came a second time, which shows only later: wait in any case.
    """
    end = time.monotonic() + _SETTLED
    if twice:
        time.sleep(_SETTLED)
    while (wrong := tuple(look())) and time.monotonic() < end:
        time.sleep(_LOOK)
    return wrong


def run_spanloom(stack: Stack, work: Work, cold: bool = False) -> Measured:
    """Measure one spanloom worker."""
    stack = replace(stack, settings={**stack.settings, "SPANLOOM_CLICKHOUSE__COMPRESSION": work.compression})
    if not cold:
        _warm_up(stack)
    ahead = 0 if cold else AHEAD
    load = work.load(ahead)
    values = work.values(load)
    asyncio.run(
        produce(stack.bootstrap_servers, "otlp_spans", values, ahead=ahead, compression=work.compression)
    )
    process, url = worker(stack)
    try:
        measured = measure(
            "spanloom",
            stack,
            process,
            lambda: answers(f"{url}/ready"),
            lambda: spans_in_sessions(stack),
            load.truth.in_sessions().spans,
        )
        wrong = settled(lambda: differences(stack.query, load.truth), bool(work.twice))
    finally:
        process.stop()
    return replace(measured, spans=load.truth.all.spans, wrong=wrong)


def _warm_up(stack: Stack) -> None:
    process, url = worker(stack, "warm-up")
    try:
        process.wait_until(lambda: answers(f"{url}/ready"), "the worker is ready")
        warm_up(stack, process)
    finally:
        process.stop()


def warm_up(stack: Installation, running: Process) -> None:
    """Let workers see a little of another project, so that their state has a beginning.

    Args:
        running: one of them.
    """
    load = Load(WARM_UP_SPANS, start=time.time_ns(), seed=0, name="warm-up")
    values = messages(load.spans(), WARM_UP_SPANS // 8)
    asyncio.run(produce(stack.bootstrap_servers, "otlp_spans", values, [("spanloom-project", b"warm-up")]))
    running.wait_until(lambda: _warm_spans(stack) == load.truth.in_sessions().spans, "the warm-up is done")


def _warm_spans(stack: Installation) -> int:
    rows = stack.query("SELECT sum(span_count) AS spans FROM spanloom.sessions WHERE project_id = 'warm-up'")
    return int(rows[0]["spans"])


def report(measured: Measured) -> str:
    """A few lines for people."""
    spans = measured.spans
    return "\n".join(
        (
            f"{measured.name}: {spans:,} spans, {'exact' if measured.exact else 'NOT EXACT'}",
            f"  spans per CPU-second of the worker  {measured.spans_per_cpu_second:10,.0f}",
            f"  the same from the process's start   {spans / measured.cpu_in_all:10,.0f}",
            f"  spans per wall second               {spans / measured.wall:10,.0f}",
            f"  CPU of the worker, µs a span        {1e6 * measured.cpu_since_ready / spans:10.1f}",
            f"  CPU of the database, µs a span      {1e6 * measured.database_cpu / spans:10.1f}",
            f"    of it looking, µs a span          {1e6 * measured.looking_cpu / spans:10.1f}",
            f"  CPU of the broker, µs a span        {1e6 * measured.broker_cpu / spans:10.1f}",
            f"  peak memory of the worker, MB       {measured.peak_rss / 1e6:10,.0f}",
        )
    )


def main() -> None:
    """Run from the command line; exit code 1 if a result is not exact."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--spans", type=int, default=100_000, help="%(default)s")
    parser.add_argument("--kind", choices=KINDS, default="chat", help="kind of load (%(default)s)")
    parser.add_argument(
        "--per-message", type=int, default=SPANS_PER_MESSAGE, help="spans a message (%(default)s)"
    )
    parser.add_argument(
        "--compression",
        choices=get_args(Compression),
        default="none",
        help="of what is produced, and of inserts (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the load (%(default)s)")
    parser.add_argument("--cold", action="store_true", help="no warm-up: every trace is looked up")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    arguments = parser.parse_args()

    work = Work(
        spans=arguments.spans,
        kind=arguments.kind,
        per_message=arguments.per_message,
        compression=arguments.compression,
        seed=arguments.seed,
    )
    with tempfile.TemporaryDirectory(prefix="spanloom-benchmark-") as temporary:
        folder: Path = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with local_stack(folder) as stack:
            measured = run_spanloom(stack, work, arguments.cold)
    if arguments.json:
        own = {"spans_per_cpu_second": measured.spans_per_cpu_second, "exact": measured.exact}
        print(json.dumps({**asdict(measured), **own}, indent=2))
    else:
        print(report(measured))
    for sentence in measured.wrong[:10]:
        print(sentence, file=sys.stderr)
    if not measured.exact:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
