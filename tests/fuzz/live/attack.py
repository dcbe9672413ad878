"""Sending random requests to a running stack, and what it must not answer, print or grow by."""

from __future__ import annotations

import re
import secrets
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc

from tests.fuzz.live.addresses import addresses, samples
from tests.fuzz.live.inputs import Inputs
from tests.fuzz.live.watched import complaints, memory
from tests.running_stack import Up

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_ROUNDS = 16
"""Requests of each kind at once."""

_ANSWER_DEADLINE = 60.0  # seconds
_PATIENCE = 1.0  # seconds
_WARM = 0.2
"""The part of the requests after which a process has what it needs."""

_GROWTH = 96 << 20
"""Bytes that a process may grow by after that."""

_UNANSWERED = "no answer"


@dataclass
class Outcome:
    """What came of it: how often which answer, and what must not be."""

    answers: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """What must not be, with the requests that caused it."""
    memory: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each part the bytes in memory after a fifth of the requests, and at the end."""


def attack(up: Up, seed: int, progress: Iterable[float]) -> Outcome:
    """Send requests of every kind in turn, a round for each step of the progress.

    Args:
        seed: of all that is random.
        progress: how much is done, from 0 to 1.
    """
    outcome = Outcome()
    inputs = Inputs(seed, samples(), list(addresses(up)))
    receiver, dashboard, clickhouse = (up.ports[part] for part in ("otlp-http", "dashboard", "clickhouse"))
    kinds: Sequence[tuple[str, int, Callable[[], bytes]]] = (
        *(("receiver", receiver, inputs.post), ("receiver", receiver, inputs.post)),
        *(("dashboard", dashboard, inputs.get), ("dashboard", dashboard, inputs.get)),
        *(("receiver", receiver, inputs.head), ("dashboard", dashboard, inputs.head)),
        *(("clickhouse", clickhouse, inputs.head), ("grpc port", up.ports["otlp-grpc"], inputs.head)),
    )
    early: dict[str, int] = {}
    with (
        ThreadPoolExecutor(_ROUNDS) as pool,
        grpc.insecure_channel(f"127.0.0.1:{up.ports['otlp-grpc']}") as channel,
    ):
        export: Any = channel.unary_unary(EXPORT)
        for done in progress:
            if done >= _WARM and not early:
                early = memory(up.data)
            requests = [(part, port, made()) for _ in range(_ROUNDS) for part, port, made in kinds]
            statuses = pool.map(lambda each: status_of(*each[1:]), requests)
            for (part, _, sent), status in zip(requests, statuses, strict=True):
                outcome.answers[f"{part}: {status}"] += 1
                # ClickHouse answers 500 to what its engine refuses for a reason that has no status of its own.
                if status[:1] == "5" and part != "clickhouse":
                    outcome.findings[f"{part} answered {status}"].append(sent)
            bodies = [inputs.body() for _ in range(_ROUNDS)]
            for body, code in zip(bodies, pool.map(partial(_exported, export), bodies), strict=True):
                outcome.answers[f"grpc: {code}"] += 1
                if code in ("INTERNAL", "UNKNOWN", "UNAVAILABLE"):
                    outcome.findings[f"gRPC answered {code}"].append(body)
    for part, after in memory(up.data).items():
        before = early.get(part, 0)
        outcome.memory[part] = before, after
        # The database's caches grow as they may.
        if after > before + _GROWTH and part != "clickhouse":
            outcome.findings[f"{part} grew from {before >> 20} to {after >> 20} MiB"] = []
    for line, times in complaints(up).items():
        outcome.findings[f"{times} times {line}"] = []
    return outcome


def status_of(port: int, sent: bytes) -> str:
    """The status of the answer to a request's bytes, or that there was none."""
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_DEADLINE) as connection:
        answer = b""
        with suppress(ConnectionError):
            connection.sendall(sent)
            connection.settimeout(_PATIENCE)
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                # It may wait for more of the request; now it learns that none will come.
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(_ANSWER_DEADLINE)
                answer = connection.recv(65536)
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return found[1].decode() if found else _UNANSWERED


def _exported(export: Any, body: bytes) -> str:
    try:
        export(body, timeout=_ANSWER_DEADLINE, metadata=(("x-api-key", secrets.token_hex(4)),))
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"
