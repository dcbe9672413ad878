"""A replay, from its source to Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from spanloom.commands.replaying.archive import archive_portions, messages_in
from spanloom.commands.replaying.pace import Pace
from spanloom.commands.replaying.portion import Portion
from spanloom.commands.replaying.progress import Progress
from spanloom.commands.replaying.stored import stored_portions
from spanloom.kafka import topics
from spanloom.kafka.lag import GroupLag
from spanloom.kafka.producer import Producer, Record
from spanloom.kafka.settings import KafkaSettings
from spanloom.spans.reading.stored.messages import StoredMessage
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.stored_spans import StoredRange, count_traces


@dataclass(frozen=True, slots=True)
class Replay:
    """What is sent again, and how fast.

    Attributes:
        archive: files and folders; none for what ClickHouse has stored.
        rate: spans a second at most.
        most_waiting: nothing is sent while the workers have more messages than this to read.
    """

    wanted: StoredRange
    archive: tuple[Path, ...]
    rate: float
    most_waiting: int


async def total(replay: Replay, warehouse: Warehouse) -> int:
    """Return about how many traces, or files of an archive, a replay has.

    Raises:
        spanloom.commands.otlp_files.FileError: a file can't be read.
        Unavailable, WarehouseError: ClickHouse is away, or refuses.
    """
    if replay.archive:
        return messages_in(replay.archive)
    return await count_traces(warehouse, replay.wanted)


async def run(
    replay: Replay,
    kafka: KafkaSettings,
    warehouse: Warehouse,
    progress: Progress,
    *,
    on_sent: Callable[[], None],
    on_wait: Callable[[int], None],
) -> int:
    """Send all that is not sent yet, and note it.

    Each portion is acknowledged by Kafka before it is noted: what a kill leaves in between is sent twice, which changes
    nothing.

    Args:
        progress: where the replay stands; changed as it goes on.
        on_sent: called when a portion is sent and noted in `progress`.
        on_wait: called with the number of messages that the workers have to read, while that is too many.

    Returns:
        How many spans were left out because the topic takes no message as large.

    Raises:
        topics.TopicError: a topic is missing.
        KafkaError, OSError: Kafka can't be used.
        spanloom.commands.otlp_files.FileError: a file can't be read.
        Unavailable, WarehouseError: ClickHouse is away, or refuses.
    """
    await topics.check(kafka)
    largest = await topics.largest_message(kafka)
    # What comes twice changes nothing, so whoever replays needs no right to write idempotently.
    lag, producer = GroupLag(kafka), Producer(kafka.model_copy(update={"idempotent": False}), retry=None)
    too_large = 0
    try:
        await lag.start()
        await producer.start()
        pace = Pace(replay.rate, replay.most_waiting, lag.messages, on_wait=on_wait)
        async for portion in _portions(replay, warehouse, progress, lag.source_partitions):
            fitting = [each for each in portion.messages if len(each.value) < largest]
            too_large += sum(each.spans for each in portion.messages) - sum(each.spans for each in fitting)
            spans = sum(each.spans for each in fitting)
            await pace.before(spans)
            await producer.produce(kafka.source_topic, [_record(each) for each in fitting])
            progress.spans += spans
            progress.done += portion.done
            progress.left_out += portion.left_out
            progress.forgotten += portion.forgotten
            if portion.after is not None:
                progress.after = list(portion.after)
            on_sent()
    finally:
        await producer.stop()
        await lag.stop()
    progress.finished = True
    on_sent()
    return too_large


def _portions(
    replay: Replay, warehouse: Warehouse, progress: Progress, partitions: int
) -> AsyncIterator[Portion]:
    if replay.archive:
        return archive_portions(replay.archive, warehouse, replay.wanted, progress.after, partitions)
    return stored_portions(warehouse, replay.wanted, progress.after, partitions)


def _record(message: StoredMessage) -> Record:
    headers = [(topics.REPLAY_HEADER, b"1")]
    if message.project_id:
        headers.append((topics.PROJECT_HEADER, message.project_id.encode()))
    return Record(message.partition, None, message.value, headers)
