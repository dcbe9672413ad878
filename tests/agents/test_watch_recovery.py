"""A recovery that makes no progress ends the process, unless Kafka or a topic is out of reach."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from spanloom.agents import worker


def app(*, answers: bool, topics: bool = True) -> Any:
    """A worker in the middle of a recovery."""
    state = SimpleNamespace(states=dict)
    return SimpleNamespace(
        assignment=SimpleNamespace(records_restored=7),
        consumer_generation_id=1,
        rebalancing=True,
        kafka_answers=answers,
        topic_watch=SimpleNamespace(all_there=topics),
        traces_state=state,
        sessions_state=state,
    )


@pytest.mark.parametrize(("answers", "topics"), [(True, True), (False, True), (True, False)])
def test_no_progress(monkeypatch: pytest.MonkeyPatch, answers: bool, topics: bool) -> None:
    failures: list[BaseException] = []
    monkeypatch.setattr(worker, "_WATCH", 0.001)
    monkeypatch.setattr(worker, "fail", failures.append)

    async def watch_for_a_while() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker._watch_recovery(app(answers=answers, topics=topics), 0.01), 0.5)

    asyncio.run(watch_for_a_while())
    assert bool(failures) is (answers and topics)
