"""ClickHouse or Kafka out of reach: wait, report not ready, lose nothing, go on."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spanloom.local.ports import free_port
from tests.fixtures_local import clickhouse_process, wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SESSIONS, TRACES
from tests.integration.test_failures import load


def test_clickhouse_goes_away_and_comes_back(installation: Installation, tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "own"
    folder.mkdir()
    with clickhouse_process(port, folder) as database:
        installation.clickhouse = f"http://127.0.0.1:{port}"
        installation.spanloom("migrate")
        worker = installation.worker()
        messages = load(60)
        installation.produce(messages[: len(messages) // 2])
        wait_until(lambda: installation.committed() > 0, "something to be through")
        database.stop()
        installation.produce(messages[len(messages) // 2 :])
        wait_until(lambda: worker.probe("/ready") == 503, "not ready")
        assert worker.probe("/live") == 200
        assert installation.committed() < len(messages)
        database.start()
        installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=90)
        installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
        wait_until(lambda: worker.probe("/ready") == 200, "ready again")
        assert worker.running


def test_a_worker_waits_for_clickhouse_at_its_start(installation: Installation) -> None:
    port = free_port()
    installation.settings["SPANLOOM_CLICKHOUSE__URL"] = f"http://127.0.0.1:{port}"
    worker = installation.worker(ready=False)
    wait_until(lambda: "waiting for it" in worker.log, "the worker to wait")
    assert worker.probe("/live") == 200
    assert worker.probe("/ready") == 503
    assert worker.stop() == 0


def test_a_broker_that_answers_nothing_makes_the_worker_not_ready(installation: Installation) -> None:
    if installation.tansu is None:
        pytest.skip("done with the local broker; Apache Kafka is stopped and started below")
    worker = installation.worker()
    os.kill(installation.tansu.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: worker.probe("/ready") == 503, "not ready")
        assert worker.probe("/live") == 200
    finally:
        os.kill(installation.tansu.pid, signal.SIGCONT)
    wait_until(lambda: worker.probe("/ready") == 200, "ready again", 60)
    messages = load(30)
    installation.produce(messages)
    installation.wait_for(TRACES, otlp.expected_traces(messages))


def test_kafka_goes_away_and_comes_back(installation: Installation) -> None:
    if installation.kafka is None:
        pytest.skip("the local broker keeps nothing over a restart; Apache Kafka does (make test-kafka)")
    worker = installation.worker()
    messages = load(120)
    half = len(messages) // 2
    installation.produce(messages[:half])
    wait_until(lambda: installation.committed() > 0, "something to be through")
    installation.kafka.stop()
    installation.kafka.start()
    asyncio.run(_until_produced(installation, messages[half:]))
    installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=120)
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages), deadline=60)
    assert worker.running


async def _until_produced(installation: Installation, messages: list[bytes]) -> None:
    await asyncio.get_running_loop().run_in_executor(None, functools.partial(installation.produce, messages))


def test_the_containers_health_check_asks_the_worker_on_its_own_port(installation: Installation) -> None:
    worker = installation.worker()
    settings = {"SPANLOOM_WORKER__WEB_PORT": str(worker.port)}
    # Of other parts, as one environment for all would have them; nothing answers there.
    others = {"SPANLOOM_RECEIVER__WEB_PORT": "1", "SPANLOOM_DASHBOARD__WEB_PORT": "1"}

    def health(*arguments: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "spanloom.health", *arguments, "--under", str(worker.pid)],
            env={**os.environ, **others, **settings},
            timeout=60,
            check=False,
        ).returncode

    wait_until(lambda: (health(), health("ready")) == (0, 0), "the worker to be healthy")
    worker.stop()
    assert health() == 1
