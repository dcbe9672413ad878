"""Apache Kafka itself, for tests: one combined KRaft broker and controller on loopback, no Docker.

The jars come from Maven once (`tests/kafka/pom.xml` pins them) and stay in `.kafka/` at the project's
root. Use the session fixture `apache_kafka` for a broker that is up, or `KafkaServer` where a test needs
one of its own. `python -m tests.fixtures_kafka` only fetches the jars.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError

from spanloom.local.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
POM = ROOT / "tests" / "kafka" / "pom.xml"
LOGGING = ROOT / "tests" / "kafka" / "log4j2.properties"
CACHE = ROOT / ".kafka"

# Serial collector and C1 only: a test broker lives for seconds, and both halve its start-up.
JVM_OPTIONS = (
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)


class KafkaUnavailable(RuntimeError):
    """Kafka could not be fetched, started or stopped; the message says what to do or shows the log's end."""


def pinned_version(pom: Path = POM) -> str:
    """The Kafka version that `pom` pins, for example `4.4.0`."""
    version = ElementTree.parse(pom).findtext("{*}properties/{*}kafka.version")
    if not version:
        raise KafkaUnavailable(f"{pom} has no property kafka.version")
    return version


def kafka_jars(cache: Path = CACHE, pom: Path = POM) -> Path:
    """The folder with Kafka's jars, fetched by Maven if `cache` does not hold this pom's yet.

    Safe to call from several test runs at once: the folder appears whole or not at all.
    Raises KafkaUnavailable if Maven is missing or fails.
    """
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:8]
    jars = cache / f"{pinned_version(pom)}-{digest}"
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(
            "Apache Kafka's jars are fetched by Maven: install `mvn`, or leave `-m kafka` out"
        )
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache))
    try:
        command = [maven, "-q", "-B", "-Dstyle.color=never", "-f", str(pom), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
        fetched = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if fetched.returncode != 0:
            raise KafkaUnavailable(f"Maven could not fetch Kafka's jars:\n{fetched.stdout}{fetched.stderr}")
        # Another run may have been faster; its folder is as good as ours.
        with contextlib.suppress(OSError):
            fresh.rename(jars)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return jars


class KafkaServer:
    """One Apache Kafka broker that keeps its ports and its data through stop, kill and start.

    All methods block until the condition in their name holds; from a coroutine call them with
    `asyncio.to_thread`. Every deadline is in seconds; KafkaUnavailable is raised when one passes.

    directory: holds server.properties, server.log and the data; formatted at the first start.
    properties: broker settings that replace or extend the fixture's own.
    """

    def __init__(self, directory: Path, properties: dict[str, str] | None = None) -> None:
        java = shutil.which("java")
        if java is None:
            raise KafkaUnavailable("Apache Kafka needs Java 17 or newer on the PATH")
        self.directory = directory
        self.log = directory / "server.log"
        self.data = directory / "data"
        self.port, self._controller_port = free_port(), free_port()
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
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = [*self._java, "kafka.tools.StorageTool", "format", "--standalone"]
        # The options' form with `=`: an ID may begin with a dash.
        command += [f"--cluster-id={cluster}", f"--config={self._settings}"]
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
            return bool(client.cluster.brokers()) and client.cluster.controller is not None
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
            "node.id": "1",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller_port}",
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


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A running Apache Kafka for the whole session; a test that stops it starts it again."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    print(f"Apache Kafka {pinned_version()} is in {kafka_jars()}")
