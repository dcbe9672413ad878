"""A worker that no longer has its partitions, and comes back, writes to the changelogs behind its successor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from spanloom.spans.folding.facts import TraceKey, partition_of
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import PARTITIONS, Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span

CHANGELOGS = ("spanloom.traces-changelog", "spanloom.sessions-changelog")
BEGAN_ANEW = "another worker has written to it; the state begins anew"


def written_late(
    installation: Installation, topic: str, records: Sequence[tuple[int, bytes, bytes | None]]
) -> None:
    """Append to a changelog what nobody waits for any more."""

    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=installation.bootstrap, acks="all") as producer:
            for partition, key, value in records:
                await producer.send_and_wait(topic, value, key=key, partition=partition)

    asyncio.run(write())


def neighbours(count: int) -> list[int]:
    """Traces of one partition."""
    first = partition_of(TraceKey("default", (1).to_bytes(16)), PARTITIONS)
    found = (
        n for n in range(1, 999) if partition_of(TraceKey("default", n.to_bytes(16)), PARTITIONS) == first
    )
    return [next(found) for _ in range(count)]


def test_what_a_worker_without_partitions_writes_late_changes_no_total(installation: Installation) -> None:
    """It was about to forget all that is open (tombstones), by batches cut otherwise than those of its successor."""
    worker = installation.worker()
    trace, other = neighbours(2)
    now = time.time_ns()
    sent = [message(span(trace, 1, start=now, session__id="s"), llm(trace, 2, 1, start=now + SECOND))]
    installation.produce(sent)
    installation.wait_for(SESSIONS, otlp.expected_sessions(sent))
    wait_until(lambda: installation.committed("spanloom.trace-facts") > 0, "a checkpoint of each stage")

    for topic in CHANGELOGS:
        keys: dict[tuple[int, bytes], Any] = {
            (record.partition, record.key): None
            for record in installation.consume(topic)
            if record.key != b"clock"
        }
        assert keys
        written_late(installation, topic, [(partition, key, None) for partition, key in keys])

    # A checkpoint of the successor later, and a restart.
    more = [llm(trace, 4, 1, start=now + SECOND), span(other, 1, start=now + SECOND, session__id="s")]
    sent.append(message(*more))
    installation.produce(sent[-1:])
    installation.wait_for(SESSIONS, otlp.expected_sessions(sent))
    wait_until(lambda: worker.log.count(BEGAN_ANEW) == 2, "both stages to have seen it")
    worker.kill()
    worker.start()
    sent.append(message(llm(trace, 3, 1, tokens=50, start=now + 2 * SECOND)))
    installation.produce(sent[-1:])
    installation.wait_for(TRACES, otlp.expected_traces(sent))
    installation.wait_for(SESSIONS, otlp.expected_sessions(sent))
    assert worker.log.count(BEGAN_ANEW) == 2
