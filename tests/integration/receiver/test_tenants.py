"""One tenant can't hurt another: 64 attacks by one key at once, on a real receiver with the settings it comes with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc

from spanloom.receiver.keys import hash_of
from tests.fixtures_local import wait_until
from tests.integration.installation import Installation
from tests.integration.otlp import message, span
from tests.integration.receiver.receiving import Receiver

MEBIBYTE = 1 << 20

LIMIT = 1024 * MEBIBYTE
"""Bytes of memory that the pod has (deploy/kubernetes/receiver.yaml)."""

OTHER = "two"


def resident(receiver: Receiver) -> int:
    """What it holds now, bytes."""
    return int(Path(f"/proc/{receiver.process.pid}/statm").read_text().split()[1]) * os.sysconf(
        "SC_PAGE_SIZE"
    )


def answers(send: Callable[[], object]) -> bool:
    """Whether a request is answered with success, within the timeout that its sender has."""
    try:
        return send() is not None
    except (OSError, grpc.RpcError):
        return False


def test_one_tenant_can_not_hurt_another(kafka_only: Installation) -> None:
    keys = f"shop:{hash_of('one').hex()},bank:{hash_of(OTHER).hex()}"
    body = message(*(span(1, number, text="x" * 2000) for number in range(1, 513)))
    with Receiver(kafka_only.environment, kafka_only.folder, keys=keys) as receiver:

        def http() -> bool:
            return answers(
                lambda: receiver.post(body, {"x-api-key": OTHER}, timeout=10).status == 200 or None
            )

        def over_grpc() -> bool:
            return answers(lambda: receiver.export(body, (("x-api-key", OTHER),), timeout=10))

        assert http()
        assert over_grpc()
        before = resident(receiver)
        ports = (str(receiver.http_port), str(receiver.grpc_port))
        module = "tests.integration.receiver.attacks"
        with subprocess.Popen(
            [sys.executable, "-m", module, *ports, "one"], stdout=subprocess.PIPE
        ) as attack:
            try:
                assert attack.stdout is not None
                assert attack.stdout.readline() == b"all have begun\n"
                answered = [send() for _ in range(30) for send in (http, over_grpc)]
                assert attack.poll() is None
            finally:
                attack.kill()
        # All but a few that this machine, and not the receiver, was too slow for.
        assert sum(answered) >= len(answered) * 9 // 10
        assert receiver.peak_memory() < LIMIT
        wait_until(
            lambda: receiver.metrics()["spanloom_receiver_bytes_in_flight"] == 0, "all to be settled", 90
        )
        wait_until(lambda: resident(receiver) < before + 150 * MEBIBYTE, "memory to come back", 60)
        assert http()
        assert "Traceback" not in receiver.log
