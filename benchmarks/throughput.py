"""How many spans a worker handles in a second of its CPU time, from the topic to the view `sessions`.

1. start a broker and a database of its own, in a temporary folder;
2. let a worker see a little first and stop it: its state then has a beginning, as that of a worker in service
   (`--cold` leaves this out: then every trace is older than the state, and is looked up in ClickHouse);
3. append the whole load to the topic, so that nothing but the worker sets the pace;
4. start one worker; note its CPU time when it reports ready and when `sessions` shows every span;
5. compare every session with the truth.

With `--baseline`, the same for an idiomatic Faust app of one event a span (`benchmarks.baseline.faust_app`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.baseline import setting as baseline
from benchmarks.exactness import differences, spans_in_sessions
from benchmarks.load.encode import SPANS_PER_MESSAGE, event, messages
from benchmarks.load.load import Load
from benchmarks.parts import BenchmarkError, Process, Stack, answers, local_stack, worker
from benchmarks.produce import produce

AHEAD = 600_000
"""The load is dated so far ahead, ms: it then begins when the state has been kept for longer than applications' clocks
may be off, as with a worker that has been in service for ten minutes. Before that all is looked up."""

WARM_UP_SPANS = 2_000
_LOOK = 0.25  # seconds between two queries of the view
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
    broker_cpu: float
    peak_rss: int
    exact: bool

    @property
    def spans_per_cpu_second(self) -> float:
        """The number to compare: from ready until done."""
        return self.spans / self.cpu_since_ready


def measure(
    name: str, stack: Stack, process: Process, ready: Callable[[], bool], done: Callable[[], int], spans: int
) -> Measured:
    """Wait until a worker that has just been started is ready and until `done` counts all spans.

    `exact` is still to be found out.
    """
    while True:
        # Noted before each question, so that no work can hide between the note and the answer.
        cpu, database, broker = process.cpu(), stack.database.cpu(), stack.broker.cpu()
        started = time.monotonic()
        if ready():
            break
        time.sleep(0.02)
    seen, last_news = -1, time.monotonic()
    while (count := done()) != spans:
        if count != seen:
            seen, last_news = count, time.monotonic()
        elif time.monotonic() - last_news > _PATIENCE:
            raise BenchmarkError(f"{name}: {seen} of {spans} spans, and no more; see {process.log}")
        process.check()
        time.sleep(_LOOK)
    end = process.cpu()
    return Measured(
        name=name,
        spans=spans,
        wall=time.monotonic() - started,
        cpu_since_ready=end - cpu,
        cpu_in_all=end,
        database_cpu=stack.database.cpu() - database,
        broker_cpu=stack.broker.cpu() - broker,
        peak_rss=process.peak_rss(),
        exact=False,
    )


def run_spanloom(stack: Stack, spans: int, per_message: int, seed: int, cold: bool) -> Measured:
    """Measure one spanloom worker."""
    if not cold:
        _warm_up(stack)
    ahead = 0 if cold else AHEAD
    load = Load(spans, start=time.time_ns() + ahead * 1_000_000, seed=seed)
    values = messages(load.spans(), per_message)
    asyncio.run(produce(stack.bootstrap_servers, "otlp_spans", values, ahead=ahead))
    process, url = worker(stack)
    try:
        in_sessions = load.truth.in_sessions().spans
        measured = measure(
            "spanloom",
            stack,
            process,
            lambda: answers(f"{url}/ready"),
            lambda: spans_in_sessions(stack),
            in_sessions,
        )
        end = time.monotonic() + _SETTLED
        while (wrong := list(differences(stack.query, load.truth))) and time.monotonic() < end:
            time.sleep(_LOOK)
        _say(wrong)
    finally:
        process.stop()
    return Measured(**{**asdict(measured), "spans": load.truth.all.spans, "exact": not wrong})


def _warm_up(stack: Stack) -> None:
    load = Load(WARM_UP_SPANS, start=time.time_ns(), seed=0, name="warm-up")
    values = messages(load.spans(), WARM_UP_SPANS // 8)
    asyncio.run(produce(stack.bootstrap_servers, "otlp_spans", values, [("spanloom-project", b"warm-up")]))
    process, url = worker(stack, "warm-up")
    try:
        process.wait_until(lambda: answers(f"{url}/ready"), "the worker is ready")
        process.wait_until(
            lambda: _warm_spans(stack) == load.truth.in_sessions().spans, "the warm-up is done"
        )
    finally:
        process.stop()


def _warm_spans(stack: Stack) -> int:
    rows = stack.query("SELECT sum(span_count) AS spans FROM spanloom.sessions WHERE project_id = 'warm-up'")
    return int(rows[0]["spans"])


def run_baseline(stack: Stack, spans: int, seed: int) -> Measured:
    """Measure the Faust app; it gets the same spans as single events."""
    load = Load(spans, start=time.time_ns(), seed=seed)
    baseline.create_tables(stack)
    asyncio.run(baseline.create_topics(stack.bootstrap_servers))
    asyncio.run(produce(stack.bootstrap_servers, baseline.SPANS, map(event, load.spans())))
    ready = stack.folder / "baseline.ready"
    process = Process(
        "baseline",
        (sys.executable, "-m", "benchmarks.baseline.faust_app"),
        stack.folder,
        baseline.environment(stack, ready),
    )
    try:
        in_sessions = load.truth.in_sessions().spans
        measured = measure(
            "baseline", stack, process, ready.exists, lambda: baseline.spans_in_sessions(stack), in_sessions
        )
        wrong = list(baseline.differences(stack, load.truth))
        _say(wrong)
    finally:
        process.stop()
    return Measured(**{**asdict(measured), "spans": load.truth.all.spans, "exact": not wrong})


def _say(wrong: list[str]) -> None:
    for sentence in wrong[:10]:
        print(sentence, file=sys.stderr)


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
            f"  CPU of the broker, µs a span        {1e6 * measured.broker_cpu / spans:10.1f}",
            f"  peak memory of the worker, MB       {measured.peak_rss / 1e6:10,.0f}",
        )
    )


def main() -> None:
    """Run from the command line; exit code 1 if a result is not exact."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--spans", type=int, default=100_000, help="spans for spanloom (%(default)s)")
    parser.add_argument(
        "--per-message", type=int, default=SPANS_PER_MESSAGE, help="spans a message (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the load (%(default)s)")
    parser.add_argument("--cold", action="store_true", help="no warm-up: every trace is looked up")
    parser.add_argument(
        "--baseline", action="store_true", help="measure the Faust app of one event a span too"
    )
    parser.add_argument("--baseline-spans", type=int, default=20_000, help="spans for it (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="spanloom-benchmark-") as temporary:
        folder: Path = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = []
        with local_stack(folder) as stack:
            results.append(
                run_spanloom(stack, arguments.spans, arguments.per_message, arguments.seed, arguments.cold)
            )
            if not arguments.json:
                print(report(results[0]), flush=True)
            if arguments.baseline:
                results.append(run_baseline(stack, arguments.baseline_spans, arguments.seed))
                if not arguments.json:
                    print(report(results[1]))
    ratio = results[0].spans_per_cpu_second / results[-1].spans_per_cpu_second
    if arguments.json:
        rows = [{**asdict(one), "spans_per_cpu_second": one.spans_per_cpu_second} for one in results]
        print(json.dumps({"results": rows, "ratio": ratio if arguments.baseline else None}, indent=2))
    elif arguments.baseline:
        print(f"spanloom handles {ratio:.1f} times as many spans in a CPU-second as the baseline")
    if not all(result.exact for result in results):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
