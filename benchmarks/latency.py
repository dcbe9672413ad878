"""How long a span takes from the topic to the view `sessions`, at light load.

Small messages, each a whole trace, are appended at a steady pace; a trace has arrived when the row of its
session counts it. The clock starts when the broker acknowledges the message and stops when the answer of the
query that shows it is there. A query starts every 20 ms, so a result is at most that and one query too long.
Traces of a session are seconds apart (`live.py`): the n-th has arrived when the session counts n.
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

from benchmarks.live import send_live
from benchmarks.parts import BenchmarkError, Stack, answers, local_stack, worker

_LOOK = 0.02  # seconds from the start of a query to that of the next one
_LAST = 30.0  # seconds within which the last trace must arrive
_COUNTS = "SELECT session_id, trace_count FROM spanloom.sessions"


@dataclass(frozen=True)
class Latency:
    """Seconds from acknowledgement to visibility."""

    traces: int
    p50: float
    p95: float
    p99: float
    longest: float


class Watch:
    """Which traces are on their way, and how long those that have arrived took."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._waiting: dict[
            str, list[float]
        ] = {}  # by session, when each trace still missing was acknowledged
        self._arrived: dict[str, int] = {}

    def sent(self, session_id: str, when: float) -> None:
        """A trace of a session was acknowledged at `when`, seconds of the monotonic clock."""
        self._waiting.setdefault(session_id, []).append(when)

    def seen(self, session_id: str, traces: int, when: float) -> None:
        """The session counted `traces` traces at `when`."""
        waiting = self._waiting.get(session_id)
        while waiting and self._arrived.get(session_id, 0) < traces:
            self._arrived[session_id] = self._arrived.get(session_id, 0) + 1
            self.took.append(when - waiting.pop(0))

    @property
    def missing(self) -> int:
        """How many traces have not arrived."""
        return sum(map(len, self._waiting.values()))

    def result(self) -> Latency:
        """What was measured."""
        took = sorted(self.took)

        def percentile(part: float) -> float:
            return took[min(int(part * len(took)), len(took) - 1)]

        return Latency(len(took), percentile(0.50), percentile(0.95), percentile(0.99), took[-1])


async def measure(stack: Stack, rate: float, seconds: float) -> Latency:
    """Send `rate` messages a second for `seconds` seconds, and watch them arrive."""
    watch = Watch()
    sending = asyncio.create_task(send_live(stack.bootstrap_servers, rate, seconds, sent=watch.sent))
    last_news = time.monotonic()
    while not sending.done() or watch.missing:
        began = time.monotonic()
        before = len(watch.took)
        for row in await asyncio.to_thread(stack.query, _COUNTS):
            watch.seen(row["session_id"], int(row["trace_count"]), time.monotonic())
        if len(watch.took) > before or not watch.missing:
            last_news = time.monotonic()
        elif time.monotonic() - last_news > _LAST:
            raise BenchmarkError(f"{watch.missing} traces did not arrive; see {stack.folder}/worker.log")
        await asyncio.sleep(max(0.0, began + _LOOK - time.monotonic()))
    await sending
    return watch.result()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rate", type=float, default=20, help="messages a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="how long messages are sent (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="spanloom-benchmark-") as temporary:
        folder: Path = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with local_stack(folder) as stack:
            process, url = worker(stack)
            try:
                process.wait_until(lambda: answers(f"{url}/ready"), "the worker is ready")
                began, cpu, database = time.monotonic(), process.cpu(), stack.database.cpu()
                latency = asyncio.run(measure(stack, arguments.rate, arguments.seconds))
                passed = time.monotonic() - began
                cores = (process.cpu() - cpu) / passed, (stack.database.cpu() - database) / passed
            except BenchmarkError as error:
                sys.exit(str(error))
            finally:
                process.stop()
    if arguments.json:
        print(json.dumps({**asdict(latency), "worker_cores": cores[0], "database_cores": cores[1]}, indent=2))
        return
    print(
        f"{latency.traces} traces of 10 spans, {arguments.rate:g} a second: from the broker's acknowledgement"
        " to the view sessions"
    )
    for name in ("p50", "p95", "p99", "longest"):
        print(f"  {name:8} {getattr(latency, name):7.3f} s")
    print(f"  cores kept busy: worker {cores[0]:.2f}, database {cores[1]:.2f} (the queries included)")


if __name__ == "__main__":
    main()
