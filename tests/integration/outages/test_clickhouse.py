"""Whatever a ClickHouse that can't work just now answers is waited out; what it refuses stops the worker."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from spanloom.agents.app import EXIT_FAILED
from spanloom.local.ports import free_port
from tests.fixtures_local import clickhouse_process, wait_until
from tests.integration import otlp
from tests.integration.installation import Installation, Worker
from tests.integration.otlp import SESSIONS, TRACES
from tests.integration.outages.disk import full
from tests.integration.outages.gate import Gate, http
from tests.integration.test_failures import load

OUTAGES = {
    "a bare 500": http(
        "500 Internal Server Error", "500 Internal Server Error\n\nServer got itself in trouble"
    ),
    "a proxy without a server": http("502 Bad Gateway", "<html>nginx</html>"),
    "a full disk": http(
        "500 Internal Server Error",
        "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)\n",
        243,
    ),
    "a full disk, said by a library": http(
        "500 Internal Server Error",
        "Code: 1001. DB::Exception: std::exception. Code: 1001, type: std::filesystem::filesystem_error, "
        "e.what() = filesystem error: in create_directory: No space left on device (STD_EXCEPTION)\n",
        1001,
    ),
    "too many parts": http(
        "500 Internal Server Error",
        "Code: 252. DB::Exception: Too many parts (3000 with average size of 1.00 KiB). (TOO_MANY_PARTS)\n",
        252,
    ),
    "nothing": b"",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf",
}


def waits(worker: Worker, before: str) -> bool:
    """Whether it waits for ClickHouse, says so, and is not ready."""
    return "waiting for it" in worker.log.removeprefix(before) and worker.probe("/ready") == 503


def test_an_outage_of_each_kind_is_waited_out(installation: Installation) -> None:
    port = int(installation.clickhouse.rpartition(":")[2])
    messages = load(120, seed=61)
    portion = len(messages) // len(OUTAGES) + 1
    with Gate(port) as gate:
        installation.settings["SPANLOOM_CLICKHOUSE__URL"] = f"http://127.0.0.1:{gate.port}"
        worker = installation.worker()
        for number, (name, answer) in enumerate(OUTAGES.items()):
            before = worker.log
            gate.answer(answer)
            installation.produce(messages[number * portion : (number + 1) * portion])
            wait_until(lambda before=before: waits(worker, before) or not worker.running, name)  # type: ignore[misc]
            assert worker.running, name
            assert worker.probe("/live") == 200, name
            gate.open()
            wait_until(lambda: worker.probe("/ready") == 200, f"ready after {name}", 60)
        installation.wait_for(TRACES, otlp.expected_traces(messages))
        installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


@pytest.mark.parametrize(
    "answer",
    [
        http("400 Bad Request", "Code: 117. DB::Exception: Incorrect data. (INCORRECT_DATA)\n", 117),
        http("500 Internal Server Error", "Code: 349. DB::Exception: Cannot insert NULL.\n"),
    ],
    ids=["with its code", "with its code in words only"],
)
def test_a_refusal_stops_and_acknowledges_nothing(installation: Installation, answer: bytes) -> None:
    port = int(installation.clickhouse.rpartition(":")[2])
    with Gate(port) as gate:
        installation.settings["SPANLOOM_CLICKHOUSE__URL"] = f"http://127.0.0.1:{gate.port}"
        worker = installation.worker()
        gate.answer(answer)
        installation.produce(load(6, seed=62))
        assert worker.wait() == EXIT_FAILED
        assert installation.committed() == 0


def test_a_full_disk_under_the_local_server_is_waited_out(installation: Installation, tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "own"
    folder.mkdir()
    with clickhouse_process(port, folder) as database:
        installation.clickhouse = f"http://127.0.0.1:{port}"
        installation.spanloom("migrate")
        worker = installation.worker()
        messages = load(90, seed=63)
        third = len(messages) // 3

        with full(folder / "data"):
            before = worker.log
            installation.produce(messages[:third])
            wait_until(lambda: waits(worker, before) or not worker.running, "the worker to wait")
            assert worker.running
            assert "NOT_ENOUGH_SPACE" in worker.log
        wait_until(lambda: worker.probe("/ready") == 200, "ready again", 60)

        # And where the engine itself can write no more.
        limits = resource.prlimit(database.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(database.pid, resource.RLIMIT_FSIZE, (16, limits[1]))
        before = worker.log
        installation.produce(messages[third : 2 * third])
        wait_until(lambda: waits(worker, before) or not worker.running, "the worker to wait again")
        assert worker.running
        resource.prlimit(database.pid, resource.RLIMIT_FSIZE, limits)
        installation.produce(messages[2 * third :])
        installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=90)
        installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
