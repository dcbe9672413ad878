"""The receiver while Kafka is away, stands still, comes back, or loses its topic; and how it starts and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from grpc_health.v1 import health_pb2, health_pb2_grpc

from spanloom.local.ports import free_port
from tests.fixtures_local import wait_until
from tests.integration.installation import Installation
from tests.integration.otlp import message, span
from tests.integration.receiver.receiving import Receiver, retry_delay, retry_info

ACK_TIMEOUT = 2


@pytest.fixture
def receiver(kafka_only: Installation) -> Iterator[Receiver]:
    with Receiver(kafka_only.environment, kafka_only.folder, ack_timeout=ACK_TIMEOUT) as receiver:
        yield receiver


def health(receiver: Receiver) -> int:
    with receiver.channel() as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
    return int(answer.status)


def assert_refused_for_now(receiver: Receiver) -> None:
    """Over both transports, within a time that has more to do with this machine than with the receiver."""
    began = time.monotonic()
    answered = receiver.post(message(span(1, 1)))
    assert answered.status == 503
    assert int(answered.headers["retry-after"]) >= 1
    assert retry_delay(answered.refusal())
    with pytest.raises(grpc.RpcError) as error:
        receiver.export(message(span(1, 1)))
    assert isinstance(error.value, grpc.Call)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert retry_info(error.value)
    assert time.monotonic() - began < 2 * ACK_TIMEOUT + 20


def broker_pid(kafka: Installation) -> int:
    process = kafka.tansu or kafka.kafka
    assert process is not None
    return process.pid


def thread_states(pid: int) -> list[str]:
    """The state of each thread of a process, `T` for one that was stopped."""
    stats = (task.joinpath("stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir())
    return [stat.rpartition(") ")[2][0] for stat in stats]


@contextlib.contextmanager
def frozen(kafka: Installation) -> Iterator[None]:
    pid = broker_pid(kafka)
    os.kill(pid, signal.SIGSTOP)
    try:
        # The signal comes to one thread after the other; until then a record may still be acknowledged.
        wait_until(
            lambda: all(state == "T" for state in thread_states(pid)), "all of Kafka's threads to stand still"
        )
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Sending:
    """Sends numbered spans in a thread, each until it is answered 200, and notes those that were."""

    def __init__(self, receiver: Receiver) -> None:
        self.stored: list[str] = []
        self._receiver = receiver
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Sending:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def wait_for(self, count: int, deadline: float = 90) -> None:
        """Wait until this many more are stored."""
        wanted = len(self.stored) + count
        wait_until(lambda: len(self.stored) >= wanted, f"{count} more spans to be stored", deadline)

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            name = f"sent {number:06d}"
            with contextlib.suppress(OSError):
                if self._receiver.post(message(span(1, number + 1, name=name))).status == 200:
                    self.stored.append(name)
            number += 1


def assert_in_topic(kafka: Installation, stored: list[str]) -> None:
    values = b"\n".join(record.value for record in kafka.consume("otlp_spans"))
    assert [name for name in stored if name.encode() not in values] == []


def test_kafka_is_away_at_the_start(tmp_path: Path) -> None:
    environment = {**os.environ, "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    receiver = Receiver(environment, tmp_path, ack_timeout=ACK_TIMEOUT)
    receiver.start(ready=False)
    try:
        assert_refused_for_now(receiver)
        assert receiver.post(b"").status == 200
        assert receiver.probe("/ready") == 503
        assert receiver.post(b"", path="/health", method="GET").status == 200
        assert health(receiver) == health_pb2.HealthCheckResponse.NOT_SERVING
        wait_until(lambda: "waiting for it" in receiver.log, "the receiver to say so")
        assert receiver.log.count("waiting for it") == 1
        assert receiver.stop() == 0
    finally:
        receiver.__exit__(None, None, None)


def test_a_missing_topic_is_named_and_waited_for(kafka_only: Installation) -> None:
    environment = {**kafka_only.environment, "SPANLOOM_KAFKA__SOURCE_TOPIC": "another"}
    receiver = Receiver(environment, kafka_only.folder, ack_timeout=ACK_TIMEOUT)
    receiver.start(ready=False)
    try:
        sentence = "topic another does not exist: run `spanloom topics` first"
        wait_until(lambda: sentence in receiver.log, "the receiver to say so")
        assert_refused_for_now(receiver)
        kafka_only.settings["SPANLOOM_KAFKA__SOURCE_TOPIC"] = "another"
        kafka_only.spanloom("topics")
        receiver.wait_until_ready()
        assert receiver.post(message(span(1, 1))).status == 200
        assert len(kafka_only.consume("another")) == 1
        assert receiver.log.count("does not exist") == 1
    finally:
        receiver.__exit__(None, None, None)


def test_kafka_stands_still(kafka_only: Installation, receiver: Receiver) -> None:
    with Sending(receiver) as sending:
        sending.wait_for(20)
        with frozen(kafka_only):
            assert_refused_for_now(receiver)
            wait_until(lambda: receiver.probe("/ready") == 503, "not ready")
            wait_until(lambda: health(receiver) == health_pb2.HealthCheckResponse.NOT_SERVING, "NOT_SERVING")
            assert receiver.probe("/live") == 200
        sending.wait_for(20)
        wait_until(lambda: health(receiver) == health_pb2.HealthCheckResponse.SERVING, "SERVING")
        receiver.wait_until_ready()
    assert_in_topic(kafka_only, sending.stored)


def test_memory_is_bounded_while_kafka_stands_still(kafka_only: Installation) -> None:
    limits = {"max_body_bytes": 2 << 20, "max_message_bytes": 2 << 20, "max_bytes": 16 << 20}
    body = message(span(1, 1, text="x" * (1 << 20)))
    with Receiver(kafka_only.environment, kafka_only.folder, ack_timeout=ACK_TIMEOUT, **limits) as receiver:
        assert receiver.post(body).status == 200
        receiver.forget_peak_memory()
        before = receiver.peak_memory()
        with frozen(kafka_only):
            # Sent without waiting for the answers: ten times what may be in flight.
            answers: list[int] = []
            threads = [
                threading.Thread(target=lambda: answers.append(receiver.post(body).status))
                for _ in range(160)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(120)
            assert answers == [503] * 160
            metrics = receiver.metrics()
            assert metrics["spanloom_receiver_bytes_in_flight"] <= 16 << 20
        # What is in flight, in batches and packed as well; and what 160 connections have read before they were refused.
        assert receiver.peak_memory() - before < 100 << 20
        wait_until(
            lambda: receiver.metrics()["spanloom_receiver_bytes_in_flight"] == 0, "all to be settled", 90
        )
        assert receiver.post(body).status == 200


def test_kafka_restarts(kafka_only: Installation, receiver: Receiver) -> None:
    with Sending(receiver) as sending:
        sending.wait_for(20)
        if kafka_only.kafka is not None:
            kafka_only.kafka.restart()
        else:
            # It forgets everything, and the receiver must not make the topic anew before `spanloom topics` does.
            sending.stored.clear()
            kafka_only.lose_the_broker()
            sending.stored.clear()
        sending.wait_for(20)
    if kafka_only.kafka is not None:
        assert_in_topic(kafka_only, sending.stored)
    receiver.wait_until_ready()


def test_the_topic_is_deleted_and_made_anew(kafka_only: Installation, receiver: Receiver) -> None:
    with Sending(receiver) as sending:
        sending.wait_for(50)
        kafka_only.lose_the_broker()
        gone = len(sending.stored)
        sending.wait_for(50)
    # What was acknowledged while the topic was deleted may have gone with it; all after the next is there.
    assert_in_topic(kafka_only, sending.stored[gone + 10 :])


def test_the_limit_of_a_topic_that_takes_less_than_before_is_read_again(
    kafka_only: Installation, receiver: Receiver
) -> None:
    if kafka_only.kafka is None:
        pytest.skip("the local broker takes any size; Apache Kafka does not (make test-kafka)")
    asyncio.run(_largest(kafka_only.bootstrap, 100_000))
    body = message(*(span(1, number, name=f"sent {number:06d}", text="x" * 50_000) for number in range(1, 9)))
    wait_until(lambda: receiver.post(body).status == 200, "the message to be split", 60)
    assert_in_topic(kafka_only, [f"sent {number:06d}" for number in range(1, 9)])


async def _largest(bootstrap: str, size: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        config = {"max.message.bytes": str(size)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "otlp_spans", config)])
    finally:
        await admin.close()


def test_sigterm_answers_what_is_under_way(kafka_only: Installation, receiver: Receiver) -> None:
    answers: list[int] = []
    with frozen(kafka_only):
        thread = threading.Thread(target=lambda: answers.append(receiver.post(message(span(1, 1))).status))
        thread.start()
        wait_until(
            lambda: receiver.metrics()["spanloom_receiver_requests_in_flight"] == 1,
            "the request to be under way",
        )
        os.kill(receiver.process.pid, signal.SIGTERM)
        wait_until(lambda: "stopping" in receiver.log, "the receiver to stop")
    thread.join(60)
    assert receiver.process.wait(60) == 0
    assert answers in ([200], [503])
    if answers == [200]:
        assert len(kafka_only.consume("otlp_spans")) == 1


def test_sigterm_ends_it_while_kafka_stands_still(kafka_only: Installation, receiver: Receiver) -> None:
    answers: list[int] = []
    with frozen(kafka_only):
        thread = threading.Thread(target=lambda: answers.append(receiver.post(message(span(1, 1))).status))
        thread.start()
        wait_until(
            lambda: receiver.metrics()["spanloom_receiver_requests_in_flight"] == 1,
            "the request to be under way",
        )
        assert receiver.stop() == 0
        thread.join(60)
    assert answers == [503]
    assert "Traceback" not in receiver.log


@pytest.mark.parametrize("port", ["grpc_port", "http_port", "web_port"])
def test_a_port_that_is_taken_ends_it_in_a_sentence(kafka_only: Installation, port: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for name in ("grpc_port", "http_port", "web_port"):
            chosen = taken.getsockname()[1] if name == port else free_port()
            kafka_only.settings[f"SPANLOOM_RECEIVER__{name.upper()}"] = str(chosen)
        output = kafka_only.spanloom("receiver", code=1)
    assert "the receiver can't listen" in output
    assert "to free ports" in output
    assert "Traceback" not in output


def test_keys_that_can_not_be_read_end_it_in_a_sentence(kafka_only: Installation, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text("[[key]]")
    for setting, says in (
        ({"KEYS_FILE": str(file)}, "key 1 must have project and sha256"),
        ({"KEYS_FILE": str(tmp_path / "none")}, "correct SPANLOOM_RECEIVER__KEYS_FILE"),
        ({"KEYS": "shop:one"}, "SPANLOOM_RECEIVER__KEYS: key 1 needs a sha256"),
        ({"HOST": "0.0.0.0"}, "anybody could send"),
    ):
        kafka_only.settings = {f"SPANLOOM_RECEIVER__{name}": value for name, value in setting.items()}
        output = kafka_only.spanloom("receiver", code=1)
        assert says in output
        assert "Traceback" not in output


def test_keys_new_writes_a_file_that_opens_and_is_read_again(
    kafka_only: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "keys.toml"

    def new(project: str) -> dict[str, str]:
        output = kafka_only.spanloom("keys", "new", project, "--file", str(file))
        return {"x-api-key": output.split("key: ")[1].strip()}

    first = new("shop")
    with Receiver(kafka_only.environment, kafka_only.folder, keys_file=file) as receiver:
        assert receiver.post(b"", first).status == 200
        assert receiver.post(b"", {"x-api-key": "another"}).status == 401
        second = new("bank")
        wait_until(lambda: receiver.post(b"", second).status == 200, "the second key to open")
        assert receiver.post(b"", first).status == 200
        assert first["x-api-key"] not in receiver.log + file.read_text()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=127.0.0.1",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-out", str(files[0]), "-keyout", str(files[1])),
        ],
        check=True,
        capture_output=True,
    )
    return files


def test_tls_protects_both_transports(kafka_only: Installation, certificate: tuple[Path, Path]) -> None:
    files = {"tls_certfile": certificate[0], "tls_keyfile": certificate[1]}
    with Receiver(kafka_only.environment, kafka_only.folder, **files) as receiver:
        with pytest.raises((OSError, ConnectionError)):
            receiver.post(b"")
        with pytest.raises(grpc.RpcError):
            receiver.export(b"", timeout=5)
        receiver.tls = ssl.create_default_context(cafile=str(certificate[0]))
        assert receiver.post(message(span(1, 1))).status == 200
        credentials = grpc.ssl_channel_credentials(certificate[0].read_bytes())
        with receiver.channel(credentials) as channel:
            export: Callable[..., bytes] = channel.unary_unary(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
            )
            assert export(message(span(1, 2)), timeout=60) == b""
        assert len(kafka_only.consume("otlp_spans")) == 2


def test_a_certificate_that_is_none_ends_it_in_a_sentence(
    kafka_only: Installation, certificate: tuple[Path, Path]
) -> None:
    certificate[0].write_text("nothing")
    ports = {name: str(free_port()) for name in ("GRPC_PORT", "HTTP_PORT", "WEB_PORT")}
    files = {"TLS_CERTFILE": str(certificate[0]), "TLS_KEYFILE": str(certificate[1])}
    kafka_only.settings = {f"SPANLOOM_RECEIVER__{name}": value for name, value in (ports | files).items()}
    output = kafka_only.spanloom("receiver", code=1)
    assert "certificate" in output
    assert "Traceback" not in output
