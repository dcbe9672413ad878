"""Which topics are there, with their IDs: a topic that is deleted and created anew has another one.

aiokafka asks for metadata as of Kafka 1.0, which have no IDs. Here is the question as of Kafka 2.8 (version 10 of
https://kafka.apache.org/protocol#The_Messages_Metadata), and that of 0.11 for brokers that don't know it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import NamedTuple

from aiokafka import AIOKafkaClient
from aiokafka.errors import LeaderNotAvailableError, NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v4
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_METADATA = 3  # the key of the question
_NO_ID = bytes(16)


class ExistingTopic(NamedTuple):
    """A topic that is there."""

    id: str
    """Hexadecimal digits; empty where the broker knows no IDs."""
    partitions: int


def differ(one: str, other: str) -> bool:
    """Whether two IDs are those of different topics; that is not known where the broker gave none."""
    return bool(one and other) and one != other


async def existing_topics(client: AIOKafkaClient, names: Iterable[str]) -> dict[str, ExistingTopic]:
    """Return those of some topics that are there, by name. Creates none, whatever the broker's settings.

    Raises:
        KafkaError: Kafka can't be reached, or will not say.
    """
    node = client.get_random_node()
    if node is None:
        raise LeaderNotAvailableError("no broker is known")
    answer = await client.send(node, _Question(sorted(names)))
    found: dict[str, ExistingTopic] = {}
    for topic in answer.to_object()["topics"]:
        error = for_code(topic["error_code"])
        if error is NoError:
            found[topic["topic"]] = ExistingTopic(
                topic.get("topic_id", _NO_ID.hex()), len(topic["partitions"])
            )
        elif error is not UnknownTopicOrPartitionError:
            raise error(topic["topic"])
    return {
        name: topic._replace(id="" if topic.id == _NO_ID.hex() else topic.id) for name, topic in found.items()
    }


class _Uuid(AbstractType[str]):  # type: ignore[misc]
    """Sixteen bytes, as hexadecimal digits."""

    @classmethod
    def encode(cls, value: str) -> bytes:
        return bytes.fromhex(value)

    @classmethod
    def decode(cls, data: BytesIO) -> str:
        return data.read(16).hex()


_Text = CompactString("utf-8")
_Numbers = CompactArray(Int32)
_Tags = ("tags", TaggedFields)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = _METADATA
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _Text), ("port", Int32), ("rack", _Text), _Tags),
        ),
        ("cluster_id", _Text),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _Text),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", _Numbers),
                        ("isr", _Numbers),
                        ("offline_replicas", _Numbers),
                        _Tags,
                    ),
                ),
                ("authorized_operations", Int32),
                _Tags,
            ),
        ),
        ("cluster_authorized_operations", Int32),
        _Tags,
    )


class _QuestionWithIds(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = 10
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _Text), _Tags)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _Tags,
    )


class _Question(Request[MetadataRequest_v4 | _QuestionWithIds]):  # type: ignore[misc]
    API_KEY = _METADATA

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        if request_struct_class is _QuestionWithIds:
            named: list[tuple[str, str, Mapping[int, bytes]]] = [
                (_NO_ID.hex(), name, {}) for name in self._topics
            ]
            return _QuestionWithIds(named, False, False, False, {})
        return MetadataRequest_v4(self._topics, False)
