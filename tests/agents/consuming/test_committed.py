"""What is committed says of which topic it is."""

from __future__ import annotations

import pytest

from spanloom.agents.consuming.committed import Committed, TopicIds

IDS = TopicIds("00ff" * 8, "11ee" * 8)


@pytest.mark.parametrize("ids", [IDS, TopicIds(IDS.topic, ""), TopicIds("", "")])
def test_what_was_committed_comes_back(ids: TopicIds) -> None:
    assert Committed.of(7, ids.metadata()) == Committed(7, ids)


@pytest.mark.parametrize("metadata", [None, "", "a note of the operator", "spanloom topic=zz changelog="])
def test_what_others_committed_has_no_ids(metadata: str | None) -> None:
    assert Committed.of(7, metadata) == Committed(7, TopicIds("", ""))


@pytest.mark.parametrize(
    ("then", "now", "another"),
    [("aa", "aa", False), ("aa", "bb", True), ("", "bb", False), ("aa", "", False), ("", "", False)],
)
def test_another_topic_is_known_by_its_id(then: str, now: str, another: bool) -> None:
    assert Committed(7, TopicIds(then, "cc")).is_of_another_topic(TopicIds(now, "dd")) is another
    assert Committed(7, TopicIds("cc", then)).is_of_another_changelog(TopicIds("dd", now)) is another


def test_an_offset_without_ids_gets_those_that_are_known() -> None:
    assert Committed(7, TopicIds("", "")).or_of(IDS) == Committed(7, IDS)
    assert Committed(7, TopicIds("aa", "")).or_of(IDS) == Committed(7, TopicIds("aa", ""))
