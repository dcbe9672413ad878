"""One process that reads the topic of OTLP messages and notes which of `benchmarks.receiver.endure` it has seen.

It prints `ready` when it reads, goes on until it is given a line, reads to the end of the topic and writes the IDs.
"""

from __future__ import annotations

import array
import asyncio
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.receiver.senders import HEAD_BYTES, mark_of
from spanloom.kafka.topics import MAX_MESSAGE_BYTES

_TOPIC = "otlp_spans"


async def _read(bootstrap_servers: str) -> array.array[int]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        check_crcs=False,
    )
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        partitions = [
            TopicPartition(_TOPIC, number) for number in consumer.partitions_for_topic(_TOPIC) or ()
        ]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        print("ready", flush=True)
        line = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        numbers = array.array("Q")
        ends: dict[TopicPartition, int] | None = None
        while True:
            # With `none` a record that was deleted before it was read is an error, not a gap.
            some = await consumer.getmany(timeout_ms=200)
            for records in some.values():
                numbers.extend(mark_of(record.value) for record in records if len(record.value) >= HEAD_BYTES)
            if line.done() and ends is None:
                ends = await consumer.end_offsets(partitions)
            if ends is not None and not [p for p in partitions if await consumer.position(p) < ends[p]]:
                return numbers
    finally:
        await consumer.stop()


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(asyncio.run(_read(sys.argv[1])).tobytes())
