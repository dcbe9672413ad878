"""The checkpoint: the moment at which everything read so far is safe everywhere, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from spanloom.agents.consuming.records import Partition
from spanloom.kafka.producer import Record


class Rows(Protocol):
    """Where rows go: returns when they are stored; waits as long as ClickHouse is away."""

    async def __call__(self, table: str, rows: pa.Table, /) -> None: ...


class Records(Protocol):
    """Where records go: returns when every one is acknowledged; waits as long as Kafka is away."""

    async def __call__(self, topic: str, records: Sequence[Record], /) -> None: ...


Acknowledge = Callable[[Mapping[Partition, int]], Awaitable[None]]
"""Commits, for each partition, the offset of the next record to be read."""


@dataclass(slots=True)
class Writes:
    """What one batch has to write, and up to where it has read.

    `rows` by ClickHouse table, `messages` and `state` by topic; `offsets` are those of the next records.
    """

    rows: list[tuple[str, pa.Table]] = field(default_factory=list)
    messages: dict[str, list[Record]] = field(default_factory=dict)
    state: dict[str, list[Record]] = field(default_factory=dict)
    offsets: dict[Partition, int] = field(default_factory=dict)


class PartitionsLost(Exception):
    """The partitions were given away while a batch was under way; it must write nothing more."""


async def checkpoint(
    writes: Writes, *, rows: Rows, records: Records, acknowledge: Acknowledge, still_ours: Callable[[], bool]
) -> None:
    """Make a batch safe, in the one order that loses nothing:

    1. rows to ClickHouse: if this ends here, the records are redelivered and write the same rows again;
    2. messages to the next topic (and dead letters), every acknowledgement awaited: a redelivery sends the same
       ones again;
    3. state to the changelog, every acknowledgement awaited: what is in there was sent, so a redelivered record
       that changes nothing needs no message;
    4. acknowledge the source.

    Between the steps it makes sure that the partitions are still this worker's: rows carry versions and can't
    harm, but an old value behind a newer one in a changelog could.

    Raises:
        PartitionsLost: they are not.
        Exception: whatever a step raised; nothing after it has happened.
    """
    for table, some in writes.rows:
        if some.num_rows:
            await rows(table, some)
    for step in (writes.messages, writes.state):
        if not still_ours():
            raise PartitionsLost
        await _produce(step, records)
    if writes.offsets:
        await acknowledge(writes.offsets)


async def _produce(by_topic: Mapping[str, Sequence[Record]], records: Records) -> None:
    await asyncio.gather(*(records(topic, some) for topic, some in by_topic.items() if some))
