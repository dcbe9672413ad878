"""A worker that finds another database than the one that its state belongs to."""

from __future__ import annotations

import time

from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.captures_truth import captures
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SESSIONS, TRACES, message, span

SPANS = "SELECT count() AS n FROM spans"


def recorded() -> list[bytes]:
    return [value for capture in captures() for value in capture.messages]


def test_an_empty_database_gets_all_that_is_open_and_says_what_is_missing(installation: Installation) -> None:
    worker = installation.worker()
    messages = recorded()
    installation.produce(messages, timestamp=time.time_ns() // 1_000_000)
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    (spans,) = installation.sql(SPANS)
    assert worker.stop() == 0
    assert "another database" not in worker.log

    installation.sql(f"DROP DATABASE {installation.database} SYNC")
    migrate(ClickHouseSettings(url=installation.clickhouse, database=installation.database))
    worker.start()
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    assert installation.sql(SPANS) == [{"n": 0}]
    assert "ClickHouse lacks rows" in worker.log

    if installation.kafka is not None:
        assert "stop all of them" in installation.spanloom("rewind", "--since", "1h", code=1)
    assert worker.stop() == 0
    if installation.kafka is not None:
        assert "back to 0" in installation.spanloom("rewind", "--since", "1h")
        assert "was read before" in installation.spanloom("rewind", "--since", "1h")
    worker.start()
    if installation.kafka is not None:
        installation.wait_for(SPANS, [spans])
    later = message(span(77, 1, start=time.time_ns(), session__id="later"))
    installation.produce([later])
    installation.wait_for(TRACES, otlp.expected_traces([*messages, later]))
    installation.wait_for(SESSIONS, otlp.expected_sessions([*messages, later]))
    assert worker.log.count("ClickHouse lacks rows") == 2  # once for either stage that keeps a state
