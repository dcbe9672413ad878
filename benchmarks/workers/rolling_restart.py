"""How long partitions stand still while three workers are restarted in turn under load, on Apache Kafka.

1. start Apache Kafka, the database and the workers; let them take in a first part of the load, so that there is state
   to be read back;
2. append the rest at a steady pace, to all partitions in turn;
3. meanwhile, one after the other, end each worker with SIGTERM and start it again as soon as it has ended;
4. every 50 ms ask Kafka for the committed offset and the end of every partition of the three stages' topics;
5. compare every session with the truth.

A partition's gap is the time in which nothing was committed while records waited. With `--static` each worker has a
group instance ID, as in deploy/kubernetes; a pod needs the time of Kubernetes on top, above all to fetch a new image.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.exactness import differences
from benchmarks.load.encode import messages
from benchmarks.load.load import Load
from benchmarks.parts import BenchmarkError, Installation
from benchmarks.produce import PARTITIONS, produce, producer
from benchmarks.workers.setting import Worker, kafka_stack
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS

WORKERS = 3
SPANS_PER_MESSAGE = 20
TOPICS = ("otlp_spans", SPAN_FACTS, TRACE_FACTS)

_LOOK = 0.05  # seconds between two questions to Kafka
_CAUGHT_UP = 120.0  # seconds until everything has been worked on


@dataclass(frozen=True)
class Restart:
    """One restart; times in seconds. `ended` and `ready` are from SIGTERM on."""

    worker: str
    ended: float
    ready: float
    cpu: float
    """CPU time of the new process until it was ready, which other work on the machine hardly changes."""
    gaps: dict[str, float]
    """By topic, the longest gap until the next restart."""
    stood_still: int
    """Partitions with a gap that is longer than any was without a restart."""


@dataclass
class Gaps:
    """The partitions, and since when nothing has been committed while records waited."""

    longest: dict[TopicPartition, float] = field(default_factory=dict)
    caught_up: bool = False
    _committed: dict[TopicPartition, int] = field(default_factory=dict)
    _since: dict[TopicPartition, float] = field(default_factory=dict)

    def look(self, now: float, committed: dict[TopicPartition, int], ends: dict[TopicPartition, int]) -> None:
        """Take in what Kafka answers at `now`, seconds of the monotonic clock."""
        for partition, end in ends.items():
            offset = committed.get(partition, 0)
            if offset != self._committed.get(partition) or offset >= end:
                self._since.pop(partition, None)
            self._committed[partition] = offset
            if offset < end:
                gap = now - self._since.setdefault(partition, now)
                self.longest[partition] = max(self.longest.get(partition, 0.0), gap)
        self.caught_up = not self._since

    def since_last(self) -> dict[TopicPartition, float]:
        """Return the longest gaps, and begin anew."""
        found, self.longest = self.longest, {}
        return found


def by_topic(gaps: dict[TopicPartition, float]) -> dict[str, float]:
    """Return the longest gap of each topic's partitions."""
    return {
        topic: max((gap for partition, gap in gaps.items() if partition.topic == topic), default=0.0)
        for topic in TOPICS
    }


async def watch(bootstrap_servers: str, gaps: Gaps) -> None:
    """Ask Kafka over and over."""
    partitions = [TopicPartition(topic, number) for topic in TOPICS for number in range(PARTITIONS)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await admin.start()
    await consumer.start()
    try:
        while True:
            began = time.monotonic()
            stored = await admin.list_consumer_group_offsets(KafkaSettings().group_id, partitions=partitions)
            committed = {partition: max(found.offset, 0) for partition, found in stored.items()}
            gaps.look(began, committed, await consumer.end_offsets(partitions))
            await asyncio.sleep(max(0.0, began + _LOOK - time.monotonic()))
    finally:
        await consumer.stop()
        await admin.close()


async def measure(
    stack: Installation, static: bool, load: Load, before: int, rate: float, every: float
) -> tuple[dict[str, float], list[Restart]]:
    """Return the longest gaps by topic without a restart, and what each restart cost."""
    values = messages(load.spans(), SPANS_PER_MESSAGE)
    workers = [Worker(stack, number, static) for number in range(WORKERS)]
    gaps = Gaps()
    restarts = []
    with contextlib.ExitStack() as parts:
        for worker in workers:
            parts.callback(lambda one: one.process.stop(), worker)
        for worker in workers:
            await asyncio.to_thread(worker.wait)
        await produce(stack.bootstrap_servers, TOPICS[0], itertools.islice(values, before))
        watching = asyncio.create_task(watch(stack.bootstrap_servers, gaps))
        try:
            await _until_caught_up(gaps)
            sending = asyncio.create_task(_send(stack.bootstrap_servers, values, rate))
            gaps.since_last()
            await asyncio.sleep(every)
            undisturbed = by_topic(gaps.since_last())
            usual = max(undisturbed.values())
            for worker in workers:
                began = time.monotonic()
                times = await asyncio.to_thread(worker.restart)
                await asyncio.sleep(max(0.0, began + every - time.monotonic()))
                found = gaps.since_last()
                stood_still = sum(gap > usual for gap in found.values())
                restarts.append(Restart(worker.name, *times, by_topic(found), stood_still))
            await sending
            await _until_caught_up(gaps)
        finally:
            watching.cancel()
    return undisturbed, restarts


async def _until_caught_up(gaps: Gaps) -> None:
    async with asyncio.timeout(_CAUGHT_UP):
        settled = 0
        while settled < 10:  # a stage may still have to hand something on
            settled = settled + 1 if gaps.caught_up else 0
            await asyncio.sleep(2 * _LOOK)


async def _send(bootstrap_servers: str, values: Iterator[bytes], rate: float) -> None:
    sender = producer(bootstrap_servers)
    await sender.start()
    try:
        began = time.monotonic()
        for number, value in enumerate(values):
            await sender.send(TOPICS[0], value, partition=number % PARTITIONS)
            await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))
        await sender.flush()
    finally:
        await sender.stop()


def _row(name: str, parts: str, gaps: dict[str, float], stood_still: str) -> str:
    return (
        f"{name:12} {parts:>20} "
        + " ".join(f"{gaps[topic]:22.2f}" for topic in TOPICS)
        + f" {stood_still:>12}"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers.rolling_restart", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--static", action="store_true", help="give each worker a group instance ID")
    parser.add_argument("--before", type=int, default=50_000, help="spans before the pace (%(default)s)")
    parser.add_argument("--rate", type=float, default=40, help="messages a second (%(default)s)")
    parser.add_argument("--every", type=float, default=30, help="seconds for a restart (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    arguments = parser.parse_args()

    before = arguments.before // SPANS_PER_MESSAGE
    paced = round(arguments.rate * arguments.every * (WORKERS + 1))
    load = Load((before + paced) * SPANS_PER_MESSAGE, start=time.time_ns(), seed=1)
    with tempfile.TemporaryDirectory(prefix="spanloom-benchmark-") as temporary:
        folder: Path = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with kafka_stack(folder) as (stack, _):
            try:
                undisturbed, restarts = asyncio.run(
                    measure(stack, arguments.static, load, before, arguments.rate, arguments.every)
                )
            except BenchmarkError as error:
                sys.exit(str(error))
            wrong = list(differences(stack.query, load.truth))
    result: dict[str, Any] = {"undisturbed": undisturbed, "restarts": list(map(asdict, restarts))}
    if arguments.json:
        print(json.dumps({**result, "exact": not wrong}, indent=2))
    else:
        titles = " ".join(f"{'gap ' + topic:>22}" for topic in TOPICS)
        print(f"{'seconds':12} {'ended, ready, CPU':>20} {titles} {'stood still':>12}")
        print(_row("undisturbed", "", undisturbed, ""))
        for restart in restarts:
            times = f"{restart.ended:.2f}, {restart.ready:.2f}, {restart.cpu:.2f}"
            print(_row(restart.worker, times, restart.gaps, str(restart.stood_still)))
        print(f"exact: {'no' if wrong else 'yes'}")
    if wrong:
        sys.exit("\n".join(wrong[:10]))


if __name__ == "__main__":
    main()
