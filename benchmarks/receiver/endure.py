"""Overload for as long as wanted: nothing that was acknowledged may be missing, and memory must stay flat.

Two processes send over HTTP and gRPC, large and small messages mixed, faster than the receiver may take them: it has
less memory than that, and fewer requests at once than there are connections. Once a minute the broker is stopped
(SIGSTOP) for longer than the receiver waits for it. Every message has an ID of its own; another process reads the topic
all the time and notes the IDs it sees, so that the topic may be kept small.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from benchmarks.load.encode import messages
from benchmarks.load.load import Load
from benchmarks.parts import BenchmarkError
from benchmarks.receiver.generators import Generators
from benchmarks.receiver.parts import Broker, Receiver, kafka
from benchmarks.receiver.senders import write_messages

_TRANSPORTS = ("http", "grpc")
_NUMBERS = 1 << 40  # IDs that one process may use
_STOP_EVERY, _STOP_FOR = 60.0, 10.0  # seconds; the receiver waits for 8
_LOOK = 1.0  # seconds between two readings of the receiver's memory

_RECEIVER = {
    "max_body_bytes": 4 << 20,
    "max_message_bytes": 8 << 20,
    "max_bytes": 32 << 20,
    "max_requests": 150,
}
_KEPT = {"retention.bytes": str(256 << 20), "segment.bytes": str(64 << 20), "max.message.bytes": "10485760"}


@dataclass(frozen=True)
class Endured:
    """What came of it; memory in bytes."""

    seconds: float
    acknowledged: int
    spans: int
    refused: dict[str, int]
    in_topic: int
    """Different messages that the topic has had."""
    lost: int
    """Acknowledged, and not among them."""
    cpu: float
    """Of the receiver process, seconds."""
    memory: tuple[int, ...]
    """The medians of ten equal parts of the time."""
    memory_most: int

    def report(self) -> str:
        """A few lines for people."""
        refused = ", ".join(f"{count:,} {name}" for name, count in sorted(self.refused.items()))
        return "\n".join(
            (
                f"{self.seconds:,.0f} s of overload: {self.acknowledged:,} messages"
                f" of {self.spans:,} spans acknowledged",
                f"  refused, to be sent again            {refused or 'none'}",
                f"  different messages in the topic      {self.in_topic:,}",
                f"  acknowledged and not in the topic    {self.lost:,}",
                f"  spans acknowledged per CPU-second    {self.spans / self.cpu:,.0f}",
                f"  memory, MB, medians of ten parts     {' '.join(f'{part / 1e6:,.0f}' for part in self.memory)}",
                f"  memory, MB, the most                 {self.memory_most / 1e6:,.0f}",
            )
        )


def endure(folder: Path, kind: str, seconds: float, connections: int) -> Endured:
    """Run the overload on a broker of a kind (`local` or `kafka`)."""
    load = folder / "endure.messages"
    _write_load(load)
    with kafka(folder / "endure", kind) as broker:
        if kind == "kafka":
            asyncio.run(_keep_little(broker))
        seen_file, memory = folder / "seen", array.array("Q")
        reader = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.receiver.seen", broker.bootstrap_servers, str(seen_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert reader.stdout is not None
        reader.stdout.readline()
        with broker.receiver(**_RECEIVER) as receiver:
            cpu = receiver.process.cpu()
            results = _send(folder, load, receiver, broker, seconds, connections, memory)
            cpu = receiver.process.cpu() - cpu
        # The receiver has ended: nothing more comes, and the reader ends at the end of the topic.
        reader.communicate("\n", timeout=600)
        if reader.returncode:
            raise BenchmarkError("the process that reads the topic has failed")
    acknowledged = [_numbers(folder / f"acknowledged-{transport}") for transport in _TRANSPORTS]
    seen = set(_numbers(seen_file))
    refused: dict[str, int] = {}
    for result in results:
        for name, count in result["refused"].items():
            refused[name] = refused.get(name, 0) + count
    tenth = max(len(memory) // 10, 1)
    return Endured(
        seconds=seconds,
        acknowledged=sum(map(len, acknowledged)),
        spans=sum(result["spans"] for result in results),
        refused=refused,
        in_topic=len(seen),
        lost=sum(number not in seen for numbers in acknowledged for number in numbers),
        cpu=cpu,
        memory=tuple(
            int(statistics.median(memory[start : start + tenth]))
            for start in range(0, len(memory) - tenth + 1, tenth)
        ),
        memory_most=max(memory),
    )


def _write_load(path: Path) -> None:
    load = Load(6_000, start=time.time_ns(), seed=1)
    spans = list(load.spans())
    # One of 500 spans for each fifty of 10: half of the bytes.
    large = [(500, message) for message in messages(spans[:3_000], 500)]
    small = [(10, message) for message in messages(spans[3_000:], 10)]
    write_messages(path, [one for i, big in enumerate(large) for one in (big, *small[50 * i : 50 * i + 50])])


def _send(
    folder: Path,
    load: Path,
    receiver: Receiver,
    broker: Broker,
    seconds: float,
    connections: int,
    memory: array.array[int],
) -> list[dict[str, Any]]:
    generators = Generators(
        [
            [
                *("--transport", transport, "--port", str(receiver.port(transport)), "--messages", str(load)),
                *("--connections", str(connections // len(_TRANSPORTS)), "--seconds", str(seconds)),
                *("--first-mark", str(number * _NUMBERS)),
                *("--acknowledged", str(folder / f"acknowledged-{transport}")),
            ]
            for number, transport in enumerate(_TRANSPORTS)
        ]
    )
    generators.go()
    began = time.monotonic()
    stopped_at = began
    while (now := time.monotonic()) < began + seconds:
        receiver.process.check()
        memory.append(receiver.process.rss())
        if now > stopped_at + _STOP_EVERY and now + _STOP_FOR < began + seconds:
            stopped_at = now
            with _stopped(broker.pid):
                for _ in range(round(_STOP_FOR / _LOOK)):
                    time.sleep(_LOOK)
                    memory.append(receiver.process.rss())
        time.sleep(_LOOK)
    return generators.results()


@contextlib.contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _keep_little(broker: Broker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "otlp_spans", _KEPT)])
    finally:
        await admin.close()


def _numbers(path: Path) -> array.array[int]:
    numbers = array.array("Q")
    numbers.frombytes(path.read_bytes())
    return numbers
