"""Dead letters: what could not be read, kept byte for byte with the reason and the place it came from."""

from __future__ import annotations

from spanloom.kafka.dead_letters import CUT, OFFSET, PARTITION, REASON, TOPIC
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import MAX_MESSAGE_BYTES, PROJECT_HEADER

MAX_BYTES = MAX_MESSAGE_BYTES - 10_000
"""A longer payload is cut, and a header says so: the topic takes no larger record."""


def dead_letter(
    payload: bytes, reason: str, topic: str, partition: int, offset: int, project: bytes | None = None
) -> Record:
    """Return the record for `spanloom.dead-letters`; `reason` must not quote the payload.

    The header of the project goes along, so that the payload can be sent again as it was.
    """
    headers = [
        (REASON, reason.encode()),
        (TOPIC, topic.encode()),
        (PARTITION, str(partition).encode()),
        (OFFSET, str(offset).encode()),
    ]
    if project:
        headers.append((PROJECT_HEADER, project))
    if len(payload) > MAX_BYTES:
        headers.append((CUT, str(len(payload)).encode()))
        payload = payload[:MAX_BYTES]
    return Record(0, None, payload, headers)
