"""One run of spanloom in production's shape: its workers under load, and what a fault does to them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from spanloom.agents.app import EXIT_FAILED
from spanloom.local.ports import free_port
from tests.chaos.cluster import Cluster
from tests.chaos.rows import Rows, all_rows, differing, wrong
from tests.chaos.sending import Sending, Sent
from tests.fixtures_local import Process, clickhouse_process, wait_until
from tests.integration.installation import Installation, Worker
from tests.integration.outages.gate import Gate
from tests.integration.outages.topics import SOURCE

_LOOK = 0.2  # seconds between two looks at the workers
_STAYS = 3.0  # seconds for which rows that are right must stay so


@dataclass
class Outcome:
    """What a run has come to."""

    rows: int = 0
    """Rows of the four views that there must be."""
    wrong: int = 0
    """Rows that are missing, other than they must be, or too many."""
    seconds: float = 0.0
    """From the end of the fault and of the load until all rows were right."""
    peak: int = 0
    """The most memory that one worker has held, bytes."""
    starts: int = 0
    """Workers that were started, the first ones included."""
    problem: str = ""
    """A sentence where it was not as it must be."""


class Scene:
    """An empty installation on the cluster, with a ClickHouse of its own and workers that are restarted when they end.

    Args:
        settings: of the workers, besides those of every test.
        expected: the rows that there must be in the end.
        seconds: how long the load takes.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        records: list[Sent],
        expected: Rows,
        *,
        settings: dict[str, str],
        seconds: float,
        seed: int,
    ) -> None:
        self.cluster = cluster
        self.folder = folder
        self.records = records
        self.expected = expected
        self.random = Random(seed)
        self.outcome = Outcome()
        self.seconds = seconds
        self._port = free_port()
        self.database: Process = clickhouse_process(self._port, folder)
        self.gate = Gate(self._port)
        """Before ClickHouse, for the workers only."""
        url = f"http://127.0.0.1:{self._port}"
        self.installation = Installation(cluster.bootstrap, url, folder, replication=3)
        self.installation.database = "spanloom"
        self.settings = {"SPANLOOM_CLICKHOUSE__URL": f"http://127.0.0.1:{self.gate.port}", **settings}
        self.workers: list[Worker] = []
        self._away: set[str] = set()
        """Workers that are down on purpose."""
        self._over = threading.Event()

    @contextlib.contextmanager
    def running(self, workers: int) -> Iterator[None]:
        """Everything is up, the load is on its way, and workers that end are started again."""
        self.cluster.start()
        self.cluster.empty()
        with self.database, self.gate, self.installation:
            self.installation.settings.update(self.settings)
            for _ in range(workers):
                self.add_worker()
            self.sending = Sending(self.cluster.bootstrap, SOURCE, self.records, self.seconds)
            watching = threading.Thread(target=self._watch, daemon=True)
            watching.start()
            try:
                yield
            finally:
                self._over.set()
                watching.join()
                self.sending.stop()
                self.cluster.start()

    def add_worker(self) -> Worker:
        """Start one more."""
        worker = self.installation.worker(ready=False)
        self.workers.append(worker)
        self.outcome.starts += 1
        wait_until(lambda: not worker.running or worker.probe("/ready") == 200, f"{worker.name} ready", 90)
        return worker

    def any_worker(self) -> Worker:
        """Return one of those that run."""
        return self.random.choice([worker for worker in self.workers if worker.running])

    def kill(self, worker: Worker) -> None:
        """kill -9; it is started again soon."""
        self._measure()
        worker.kill()

    @contextlib.contextmanager
    def away(self, *workers: Worker, kill: bool = False) -> Iterator[None]:
        """Stop workers, and start them again at the end."""
        self._away |= {worker.name for worker in workers}
        self._measure()
        for worker in workers:
            if kill:
                worker.kill()
            elif code := worker.stop():
                self.outcome.problem = f"{worker.name} ended with {code} after SIGTERM"
        try:
            yield
        finally:
            for worker in workers:
                self.outcome.starts += 1
                worker.start(ready=False)
            self._away -= {worker.name for worker in workers}

    def pause(self, least: float, most: float) -> None:
        """Let some seconds go by."""
        time.sleep(self.random.uniform(least, most))

    def ready(self) -> None:
        """Wait until every worker is ready."""
        wait_until(self._is_ready, "all workers ready", 120)

    def drained(self) -> None:
        """Wait until all that was sent is through: no rows change any more."""
        wait_until(lambda: self.installation.committed() >= self.sending.acknowledged, "all read", 120)
        before: Rows | None = None

        def still() -> bool:
            nonlocal before
            time.sleep(2)
            now = all_rows(self.installation.sql)
            same, before = now == before, now
            return same

        wait_until(still, "no row changes any more", 120)

    @contextlib.contextmanager
    def lull(self) -> Iterator[None]:
        """Half-way nothing is sent any more; once all is through, the block runs, and then the rest is sent."""
        self.sending.pause(0.5)
        self.drained()
        yield
        self.sending.resume()

    def judge(self, deadline: float) -> None:
        """Wait until all rows are right and stay so; note how long it took, or how many are wrong."""
        self.sending.wait()
        began = time.monotonic()
        self.outcome.rows = self.expected.total()
        end = time.monotonic() + deadline
        while True:
            found = all_rows(self.installation.sql)
            seconds = time.monotonic() - began
            self.outcome.wrong = wrong(found, self.expected)
            if not self.outcome.wrong or time.monotonic() > end:
                break
            time.sleep(0.2)
        self.outcome.seconds = seconds
        if not self.outcome.wrong:
            time.sleep(_STAYS)
            self._leave()
            found = all_rows(self.installation.sql)
            self.outcome.wrong = wrong(found, self.expected)
        if self.outcome.wrong:
            self.outcome.problem = differing(found, self.expected)

    def _leave(self) -> None:
        """Every worker ends as asked."""
        self.ready()
        self._over.set()
        self._measure()
        for worker in self.workers:
            if worker.running and (code := worker.stop()):
                self.outcome.problem = f"{worker.name} ended with {code} after SIGTERM"

    def _is_ready(self) -> bool:
        return all(worker.probe("/ready") == 200 for worker in self.workers if worker.name not in self._away)

    def _watch(self) -> None:
        """What Kubernetes does."""
        while not self._over.wait(_LOOK):
            self._measure()
            for worker in self.workers:
                if not worker.running and worker.name not in self._away:
                    self._again(worker)

    def _again(self, worker: Worker) -> None:
        code = worker.wait()
        if code not in (EXIT_FAILED, -9):
            self.outcome.problem = f"{worker.name} ended with {code} by itself"
        self.outcome.starts += 1
        worker.start(ready=False)

    def _measure(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{worker.pid}/status").read_text()
                for line in status.splitlines():
                    if line.startswith("VmHWM:"):
                        self.outcome.peak = max(self.outcome.peak, int(line.split()[1]) * 1024)
