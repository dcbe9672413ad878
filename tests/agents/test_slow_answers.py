"""A dependency that takes long to answer: the log says so while it does, not only when that has failed."""

from __future__ import annotations

import asyncio
import logging

import pytest

from spanloom.agents import retry as module
from spanloom.agents.retry import clickhouse_retry


@pytest.mark.parametrize(("takes", "said"), [(0.0, 0), (0.2, 1)])
def test_it_is_said_once_for_each_slow_attempt(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, takes: float, said: int
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)

    async def answer() -> str:
        await asyncio.sleep(takes)
        return "answer"

    async def scenario() -> str:
        found = await clickhouse_retry()(answer)
        await asyncio.sleep(0.1)
        return found

    with caplog.at_level(logging.WARNING, "spanloom.worker"):
        assert asyncio.run(scenario()) == "answer"
    assert [record.message for record in caplog.records].count(
        "ClickHouse has not answered for 0 s; waiting for it, nothing is lost"
    ) == said
