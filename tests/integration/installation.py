"""An installation for a test: a broker, a database, and workers as processes, used as users use them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from spanloom.kafka import topics
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import MAX_MESSAGE_BYTES
from spanloom.local.ports import free_port
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.fixtures_kafka import KafkaServer
from tests.fixtures_local import Process, wait_until
from tests.integration import probes

_numbers = itertools.count()

PARTITIONS = 4

T = TypeVar("T")

IDLE = 20
"""Half seconds without a record until a topic counts as read: Tansu, killed while somebody produces, may report an end
that lies a few offsets behind its last record. The caller knows which records must be there."""

KAFKA_DEADLINE = 120
"""Seconds that one request to Kafka may take: its client would ask a broker that has gone for ever."""


def _run(asked: Coroutine[Any, Any, T]) -> T:
    async def in_time() -> T:
        async with asyncio.timeout(KAFKA_DEADLINE):
            return await asked

    return asyncio.run(in_time())


class Worker:
    """A worker in a process of its own."""

    def __init__(self, name: str, environment: dict[str, str], folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self._environment = {
            **environment,
            "SPANLOOM_WORKER__WEB_PORT": str(self.port),
            "SPANLOOM_WORKER__NAME": name,
        }
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: bool = True) -> None:
        """Start it, and wait until it is ready."""
        with self._log.open("ab") as log:
            argv = [sys.executable, "-m", "spanloom", "worker"]
            self._process = subprocess.Popen(
                argv, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        if ready:
            wait_until(self._is_ready_or_dead, f"{self.name} ready", 60)

    def probe(self, path: str) -> int:
        """Return the status of a probe, 0 without an answer."""
        return probes.probe(self.port, path)

    def metrics(self) -> dict[str, float]:
        """Return the metrics by name with labels."""
        return probes.metrics(self.port)

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process ID since it was started."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Hold it up with SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        assert self._process is not None
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the process to end by itself and return the exit code."""
        assert self._process is not None
        return self._process.wait(60)

    def _is_ready_or_dead(self) -> bool:
        if not self.running:
            pytest.fail(f"{self.name} has ended:\n{self.log[-3000:]}")
        return self.probe("/ready") == 200


class Installation:
    """What a team would run, on loopback; without an address of ClickHouse no more than the broker and its topics."""

    def __init__(
        self,
        bootstrap: str,
        clickhouse: str,
        folder: Path,
        *,
        kafka: KafkaServer | None = None,
        tansu: Process | None = None,
        replication: int = 1,
    ) -> None:
        self.bootstrap = bootstrap
        self.clickhouse = clickhouse
        self.folder = folder
        self.kafka = kafka
        self.tansu = tansu
        self.database = f"test_{os.getpid()}_{next(_numbers)}"
        self.settings: dict[str, str] = {}
        self.replication = replication
        self._workers: list[Worker] = []
        self._web_port = free_port()

    def __enter__(self) -> Installation:
        # What the commands `topics` and `migrate` do, without the two seconds that it takes to start each.
        kafka = KafkaSettings(
            bootstrap_servers=self.bootstrap, partitions=PARTITIONS, replication_factor=self.replication
        )
        _run(topics.ensure(kafka))
        if self.clickhouse:
            migrate(ClickHouseSettings(url=self.clickhouse, database=self.database))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if worker.running:
                worker.kill()

    def logs(self) -> list[tuple[str, str]]:
        """Return the end of each worker's log, with a title that says whether it runs."""
        return [
            (f"{worker.name} ({'running' if worker.running else 'ended'})", worker.log[-8000:])
            for worker in self._workers
        ]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SPANLOOM_")}
        return {
            **inherited,
            "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "SPANLOOM_KAFKA__PARTITIONS": str(PARTITIONS),
            "SPANLOOM_KAFKA__REPLICATION_FACTOR": str(self.replication),
            "SPANLOOM_KAFKA__SESSION_TIMEOUT": "6",
            "SPANLOOM_KAFKA__HEARTBEAT_INTERVAL": "1",
            "SPANLOOM_KAFKA__REBALANCE_TIMEOUT": "6",
            **({"SPANLOOM_CLICKHOUSE__URL": self.clickhouse} if self.clickhouse else {}),
            "SPANLOOM_CLICKHOUSE__DATABASE": self.database,
            # Others may hold the usual port.
            "SPANLOOM_WORKER__WEB_PORT": str(self._web_port),
            **self.settings,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "spanloom", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def run_bytes(self, *arguments: str) -> bytes:
        """Run a command that succeeds; what it prints, as bytes."""
        argv = [sys.executable, "-m", "spanloom", *arguments]
        return subprocess.run(
            argv, env=self.environment, stdout=subprocess.PIPE, timeout=120, check=True
        ).stdout

    def spanloom(self, *arguments: str, code: int = 0) -> str:
        """Run a command and return what it prints; its exit code must be `code`."""
        done = self.run(*arguments)
        assert done.returncode == code, (
            f"spanloom {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout if code == 0 else done.stderr

    def worker(self, ready: bool = True) -> Worker:
        """Start one more worker."""
        worker = Worker(f"worker-{len(self._workers)}", self.environment, self.folder)
        self._workers.append(worker)
        worker.start(ready)
        return worker

    def lose_the_broker(self) -> None:
        """Everything that Kafka held is gone: the local broker restarts, of Apache Kafka all topics are deleted."""
        if self.tansu is not None:
            self.tansu.stop(signal.SIGKILL)
            self.tansu.start()
        else:
            _run(self._delete_topics())
        self.spanloom("topics")

    async def _delete_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            topics = [name for name in await admin.list_topics() if not name.startswith("__")]
            await admin.delete_topics(topics)
        finally:
            await admin.close()

    def produce(
        self,
        messages: Iterable[bytes],
        topic: str = "otlp_spans",
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp: int | None = None,
        partitions: int = PARTITIONS,
    ) -> None:
        """Append messages to a topic, spread over so many of its partitions; `timestamp` in ms."""
        _run(self._produce(list(messages), topic, headers, timestamp, partitions))

    async def _produce(
        self,
        messages: list[bytes],
        topic: str,
        headers: Sequence[tuple[str, bytes]],
        timestamp: int | None,
        partitions: int,
    ) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=MAX_MESSAGE_BYTES)
        await producer.start()
        try:
            waiting = [
                await producer.send(
                    topic, value, partition=number % partitions, headers=list(headers), timestamp_ms=timestamp
                )
                for number, value in enumerate(messages)
            ]
            await asyncio.gather(*waiting)
        finally:
            await producer.stop()

    def consume(self, topic: str) -> list[Any]:
        """Return all records of a topic."""
        return _run(self._consume(topic))

    async def _consume(self, topic: str) -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            await consumer._client.force_metadata_update()
            partitions = [
                TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
            ]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning(*partitions)
            records: list[Any] = []
            idle = 0
            while idle < IDLE and any([await consumer.position(each) < ends[each] for each in partitions]):
                found = await consumer.getmany(timeout_ms=500)
                for some in found.values():
                    records += some
                idle = 0 if found else idle + 1
            return records
        finally:
            await consumer.stop()

    def committed(self, topic: str = "otlp_spans") -> int:
        """Return how many records of a topic the group has acknowledged, as the broker knows it."""
        return _run(self._committed(topic))

    async def _committed(self, topic: str) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            while True:
                try:
                    found = await admin.list_consumer_group_offsets("spanloom", partitions=partitions)
                except KafkaError as error:  # the group's coordinator is not there yet, or again
                    if not error.retriable:
                        raise
                    await asyncio.sleep(0.2)
                else:
                    return sum(max(stored.offset, 0) for stored in found.values())
        finally:
            await admin.close()

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Ask ClickHouse over HTTP, as anybody would, and return its rows."""
        parameters = {
            "database": self.database,
            "default_format": "JSONEachRow",
            "output_format_json_quote_64bit_integers": "0",
        }
        request = urllib.request.Request(f"{self.clickhouse}/?{urlencode(parameters)}", query.encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def wait_for(self, query: str, expected: list[dict[str, Any]], deadline: float = 60) -> None:
        """Wait until a query has exactly these rows."""
        found: list[dict[str, Any]] = []

        def is_so() -> bool:
            nonlocal found
            found = self.sql(query)
            return found == expected

        try:
            wait_until(is_so, f"{query} to be right", deadline)
        except BaseException:
            missing = [row for row in expected if row not in found]
            surplus = [row for row in found if row not in expected]
            print(
                f"missing {len(missing)}:", *missing[:3], f"surplus {len(surplus)}:", *surplus[:3], sep="\n"
            )
            raise
