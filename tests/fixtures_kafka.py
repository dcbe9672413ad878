"""Apache Kafka itself, for tests: combined KRaft brokers and controllers on loopback, no Docker.

Use the session fixture `apache_kafka` for a broker that is up, or `KafkaServer` where a test needs one of its own, or
several (tests/chaos/cluster.py).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError

from spanloom.local.ports import free_port
from tests.kafka_jars import KafkaUnavailable, kafka_jars

LOGGING = Path(__file__).resolve().parent / "kafka" / "log4j2.properties"

# Serial collector and C1 only: a test broker lives for seconds, and both halve its start-up.
JVM_OPTIONS = (
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)


def random_id() -> str:
    """An ID as Kafka writes them: of a cluster, or of a folder with data."""
    return urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


@dataclass(frozen=True)
class Member:
    """What a broker of a cluster must know of the whole before it starts."""

    node: int
    cluster_id: str
    controller_port: int
    controllers: Mapping[int, int]
    """The port of every node's controller."""
    folder_ids: Mapping[int, str]
    """The ID of every node's folder."""


class KafkaServer:
    """One Apache Kafka broker that keeps its ports and its data through stop, kill and start.

    All methods block until the condition in their name holds; from a coroutine call them with
    `asyncio.to_thread`. Every deadline is in seconds; KafkaUnavailable is raised when one passes.

    directory: holds server.properties, server.log and the data; formatted at the first start.
    properties: broker settings that replace or extend the fixture's own.
    member: its place in a cluster; without, it is a cluster of its own.
    """

    def __init__(
        self, directory: Path, properties: dict[str, str] | None = None, member: Member | None = None
    ) -> None:
        java = shutil.which("java")
        if java is None:
            raise KafkaUnavailable("Apache Kafka needs Java 17 or newer on the PATH")
        self.directory = directory
        self.log = directory / "server.log"
        self.data = directory / "data"
        self.port = free_port()
        self._member = member or _alone()
        self._settings = directory / "server.properties"
        self._java = [java, *JVM_OPTIONS, f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"]
        self._java += ["-cp", f"{kafka_jars()}{os.sep}*"]
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        chosen = self._default_properties() | (properties or {})
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in chosen.items()))

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers to give to a client: `127.0.0.1:PORT`, the same after every restart."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process ID while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 60.0) -> None:
        """Start the broker and wait until it lists itself as a live member of the cluster."""
        if self.running:
            return
        deadline = time.monotonic() + timeout
        if not self.data.exists():
            self._format(timeout)
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C ends the tests first, and they end the broker.
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            asyncio.run(self._until_ready(deadline))
        except BaseException:
            self.kill()
            raise

    def stop(self, timeout: float = 30.0) -> None:
        """End the broker with SIGTERM, as an operator would, and wait until it has gone."""
        self._end(signal.SIGTERM, timeout)

    def kill(self, timeout: float = 10.0) -> None:
        """End the broker with SIGKILL, as a crash would, and wait until it has gone."""
        self._end(signal.SIGKILL, timeout)

    def restart(self, *, kill: bool = False, timeout: float = 60.0) -> None:
        """Stop (or kill) the broker and start it again with the same port and data."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start(timeout)

    def _end(self, sign: signal.Signals, timeout: float) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(sign)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise KafkaUnavailable(f"Kafka outlived {sign.name} by {timeout} s\n{self._log_end()}") from error

    def _format(self, timeout: float) -> None:
        command = [*self._java, "kafka.tools.StorageTool", "format"]
        # The options' form with `=`: an ID may begin with a dash.
        command += [f"--cluster-id={self._member.cluster_id}", f"--config={self._settings}"]
        voters = (
            f"{node}@127.0.0.1:{port}:{self._member.folder_ids[node]}"
            for node, port in self._member.controllers.items()
        )
        command.append(f"--initial-controllers={','.join(voters)}")
        formatted = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if formatted.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise KafkaUnavailable(
                f"Kafka could not format {self.data}:\n{formatted.stdout}{formatted.stderr}"
            )

    async def _until_ready(self, deadline: float) -> None:
        while not await self._lists_itself():
            if not self.running:
                raise KafkaUnavailable(f"Kafka ended before it was ready\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise KafkaUnavailable(f"Kafka was not ready in time\n{self._log_end()}")
            await asyncio.sleep(0.05)

    async def _lists_itself(self) -> bool:
        # A plain connection first: aiokafka logs an error for each refused one.
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
        except OSError:
            return False
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2000)
        try:
            await client.bootstrap()
            # Metadata names only brokers that the controller has let in.
            let_in = any(broker.port == self.port for broker in client.cluster.brokers())
            return let_in and client.cluster.controller is not None
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await client.close()

    def _log_end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"the end of {self.log}:", *lines[-30:]])

    def _default_properties(self) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": str(self._member.node),
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._member.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": ",".join(
                f"127.0.0.1:{port}" for port in self._member.controllers.values()
            ),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.data),
            # A topic that nobody created with its settings is a mistake that a test should show.
            "auto.create.topics.enable": "false",
            # One broker: nothing to replicate to.
            "default.replication.factor": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "4",
            # Groups form at once, and a killed member is missed soon.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            # A small heap and two cores; the cleaner alone would take 128 MiB by default.
            "log.cleaner.dedupe.buffer.size": "4194304",
            "log.cleaner.threads": "1",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "num.recovery.threads.per.data.dir": "2",
            # A killed broker is let in again only when its old session has ended (9 s by default).
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "300",
        }


def _alone() -> Member:
    port = free_port()
    return Member(1, random_id(), port, {1: port}, {1: random_id()})


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A running Apache Kafka for the whole session; a test that stops it starts it again."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    server.start()
    try:
        yield server
    finally:
        server.stop()
