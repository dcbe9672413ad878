"""Every way to Kafka waits while it is closed: at the start, in looks into the log, in a rebalance."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from spanloom.agents.consuming import log as module
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.retry import kafka_retry
from spanloom.kafka.settings import KafkaSettings
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation, Worker
from tests.integration.otlp import SESSIONS, TRACES
from tests.integration.outages.gate import Gate
from tests.integration.test_failures import load


@pytest.fixture
def gate(installation: Installation) -> Iterator[Gate]:
    """Before the broker's port. Clients come to it to ask where the brokers are, and then go there themselves."""
    with Gate(int(installation.bootstrap.rpartition(":")[2])) as gate:
        installation.settings["SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"] = f"127.0.0.1:{gate.port}"
        yield gate


def is_through(installation: Installation, messages: list[bytes]) -> None:
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


@pytest.mark.parametrize("admitted", [0, 1, 2, 3, 4])
def test_at_the_start_it_waits_wherever_the_way_is_closed(
    installation: Installation, gate: Gate, admitted: int
) -> None:
    """The check of the topics, the producer, the consumer, the first looks into the log: each connects anew."""
    gate.admit(admitted)
    worker = installation.worker(ready=False)
    wait_until(lambda: gate.turned_away > 2 or not worker.running, "the worker to be turned away", 60)
    assert worker.running
    assert worker.probe("/live") == 200
    assert worker.probe("/ready") == 503
    gate.open()
    wait_until(lambda: worker.probe("/ready") == 200 or not worker.running, "ready", 60)
    messages = load(12, seed=71)
    installation.produce(messages)
    is_through(installation, messages)


def test_a_worker_that_waits_at_its_start_can_be_stopped(installation: Installation, gate: Gate) -> None:
    gate.admit(2)
    worker = installation.worker(ready=False)
    wait_until(lambda: gate.turned_away > 2, "the worker to be turned away", 60)
    assert worker.stop() == 0


def test_in_a_rebalance_it_waits_and_is_not_ready(installation: Installation, gate: Gate) -> None:
    worker = installation.worker()
    messages = load(60, seed=72)
    half = len(messages) // 2
    installation.produce(messages[:half])
    is_through(installation, messages[:half])
    gate.admit(0)
    before = worker.log
    del installation.settings["SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"]
    other = installation.worker(ready=False)  # by another way; both take partitions over
    wait_until(lambda: _waits(worker, before) or not worker.running, "the worker to wait", 60)
    assert worker.running
    assert worker.probe("/live") == 200
    installation.produce(messages[half:])
    gate.open()
    wait_until(lambda: worker.probe("/ready") == other.probe("/ready") == 200, "both ready", 60)
    is_through(installation, messages)
    assert worker.running


def _waits(worker: Worker, before: str) -> bool:
    said = "Kafka is not ready (KafkaConnectionError); waiting for it"
    return said in worker.log.removeprefix(before) and worker.probe("/ready") == 503


def test_a_look_into_the_log_of_a_silent_broker_is_repeated(
    kafka_only: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline is no reason to stop: what was asked is asked again when the broker speaks again."""
    monkeypatch.setattr(module, "_DEADLINE", 0.5)
    kafka_only.produce([b"0", b"1", b"2", b"3", b"4"])
    broker = kafka_only.tansu or kafka_only.kafka
    assert broker is not None
    failures: list[BaseException] = []

    async def scenario() -> None:
        log = Log(KafkaSettings(bootstrap_servers=kafka_only.bootstrap), lambda: None)
        retry = kafka_retry()
        tracking = OffsetTracking(log, {}, retry, failures.append)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            asking = asyncio.create_task(
                tracking._or_fail(lambda: log.holds(("otlp_spans", 0), 2), revoked=False)
            )
            async with asyncio.timeout(60):
                while not retry.is_waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        async with asyncio.timeout(60):
            assert await asking

    asyncio.run(scenario())
    assert failures == []
