"""The question for topics, as new and old brokers get it, and what of their answers counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka.errors import LeaderNotAvailableError, TopicAuthorizationFailedError

from spanloom.kafka import topic_ids
from spanloom.kafka.topic_ids import ExistingTopic, existing_topics

NAMES = ["facts", "spans"]
ID = "0123456789abcdef0123456789abcdef"


@dataclass
class Client:
    """A connection to a broker that knows the question in some versions, and answers with these topics."""

    versions: tuple[int, int]
    topics: list[tuple[Any, ...]]
    node: int | None = 1

    def get_random_node(self) -> int | None:
        return self.node

    async def send(self, _: int, question: Any) -> Any:
        request = question.prepare({3: self.versions})
        assert request.encode()
        assert [one if isinstance(one, str) else one[1] for one in request.topics] == NAMES
        assert request.allow_auto_topic_creation is False
        answer = request.RESPONSE_TYPE
        fields: dict[str, Any] = dict.fromkeys(answer.SCHEMA.names, 0) | {
            "brokers": [],
            "cluster_id": "c",
            "topics": self.topics,
        }
        if "tags" in fields:
            fields["tags"] = {}
        return answer.decode(answer(**fields).encode())


def ask(client: Client) -> dict[str, ExistingTopic]:
    found: dict[str, ExistingTopic] = asyncio.run(existing_topics(client, set(NAMES)))
    return found


def new(name: str, identity: str = ID, partitions: int = 2, error: int = 0) -> tuple[Any, ...]:
    some: list[tuple[Any, ...]] = [(0, number, 1, 0, [1], [1], [], {}) for number in range(partitions)]
    return error, name, identity, False, some, 0, {}


def old(name: str, partitions: int = 2, error: int = 0) -> tuple[Any, ...]:
    return error, name, False, [(0, number, 1, [1], [1]) for number in range(partitions)]


def test_a_new_broker_tells_ids() -> None:
    assert ask(Client((0, 13), [new("facts"), new("spans", "f" * 32, 3)])) == {
        "facts": ExistingTopic(ID, 2),
        "spans": ExistingTopic("f" * 32, 3),
    }


def test_an_old_broker_tells_none() -> None:
    assert ask(Client((0, 8), [old("facts"), old("spans", 3)])) == {
        "facts": ExistingTopic("", 2),
        "spans": ExistingTopic("", 3),
    }
    assert ask(Client((0, 10), [new("facts", "0" * 32)])) == {"facts": ExistingTopic("", 2)}


@pytest.mark.parametrize("topics", [[new("facts"), new("spans", error=3)], [new("facts")]])
def test_a_topic_that_is_missing_is_left_out(topics: list[tuple[Any, ...]]) -> None:
    assert ask(Client((0, 13), topics)).keys() == {"facts"}


def test_what_the_broker_will_not_or_can_not_say_is_an_error() -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        ask(Client((0, 13), [new("spans", error=29)]))
    with pytest.raises(LeaderNotAvailableError):
        ask(Client((0, 13), [], node=None))


def test_ids_differ_only_where_both_are_known() -> None:
    assert topic_ids.differ("a", "b")
    assert not any(topic_ids.differ(*pair) for pair in (("a", "a"), ("", "b"), ("a", ""), ("", "")))
