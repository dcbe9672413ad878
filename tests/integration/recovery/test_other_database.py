"""A worker that finds another database than the one that its state belongs to."""

from __future__ import annotations

import time

from spanloom.agents.app import EXIT_FAILED
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.captures_truth import captures
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SESSIONS, TRACES, message, span
from tests.integration.outages.gate import Gate
from tests.integration.test_failures import load

TABLES = "spans_versions", "traces_versions", "session_windows_versions"
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


def test_an_older_copy_that_comes_up_while_a_worker_waits_stops_it_before_it_writes(
    installation: Installation,
) -> None:
    port = int(installation.clickhouse.rpartition(":")[2])
    messages = load(90, seed=71)
    parts = [messages[number::3] for number in range(3)]
    with Gate(port) as gate:
        installation.settings["SPANLOOM_CLICKHOUSE__URL"] = f"http://127.0.0.1:{gate.port}"
        worker = installation.worker()
        installation.produce(parts[0])
        installation.wait_for(TRACES, otlp.expected_traces(parts[0]))
        installation.wait_for(SESSIONS, otlp.expected_sessions(parts[0]))
        for table in TABLES:
            installation.sql(f"CREATE TABLE older_{table} AS {table}")
            installation.sql(f"INSERT INTO older_{table} SELECT * FROM {table}")
        installation.produce(parts[1])
        installation.wait_for(TRACES, otlp.expected_traces([*parts[0], *parts[1]]))
        installation.wait_for(SESSIONS, otlp.expected_sessions([*parts[0], *parts[1]]))

        gate.answer(b"")
        installation.produce(parts[2])
        wait_until(lambda: "waiting for it" in worker.log, "the worker to wait")
        for table in TABLES:
            installation.sql(f"EXCHANGE TABLES {table} AND older_{table}")
        gate.open()
        assert worker.wait() == EXIT_FAILED
        assert "lacks rows that this worker has written" in worker.log

        worker.start()
        installation.wait_for(TRACES, otlp.expected_traces(messages))
        installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
        assert "rows that this worker's state tells of" in worker.log
