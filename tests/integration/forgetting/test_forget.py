"""`spanloom forget` on the real parts: rows go, totals follow, and nothing comes back."""

from __future__ import annotations

import json
import threading
import time

from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.kafka.topics import SESSIONS_CHANGELOG, TRACES_CHANGELOG
from tests.agents.kept_facts import kept_facts
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span

SECRET = "the word that must go"
SPANS = "SELECT span_id FROM spans ORDER BY span_id"


def conversation(traces: range, session: str, user: str = "", said: str = SECRET) -> list[bytes]:
    """Traces of a session, of three spans each, every one in a message of its own."""
    now = time.time_ns()
    messages = []
    for number in traces:
        start = now + number * SECOND
        text = f"{said} {number}"
        first = number * 10 + 1
        root = span(number, first, start=start, session__id=session, user__id=user, input__value=text)
        calls = [llm(number, first + each, first, start=start + each, input__value=text) for each in (1, 2)]
        messages += [message(root), *(message(call) for call in calls)]
    return messages


def texts(installation: Installation) -> str:
    """All that ClickHouse's tables hold, every version of it."""
    tables = [
        row["name"]
        for row in installation.sql(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%versions'"
        )
    ]
    assert len(tables) == 6
    return "".join(json.dumps(installation.sql(f"SELECT * FROM {table}")) for table in tables)


def live_texts(installation: Installation) -> str:
    """What the changelogs hold once they are compacted."""
    live: dict[tuple[str, int, bytes], bytes | None] = {}
    for topic in (TRACES_CHANGELOG, SESSIONS_CHANGELOG):
        for record in installation.consume(topic):
            live[topic, record.partition, record.key] = record.value
    found = []
    for (topic, _, key), value in live.items():
        if topic == TRACES_CHANGELOG:
            found.append(repr(kept_facts(key, value)))
        elif value is not None and key != CLOCK_RECORD:
            found.append(repr(value))
    return "".join(found)


def test_a_session_is_forgotten_while_spans_come(installation: Installation) -> None:
    worker = installation.worker()
    gone, stays = (
        conversation(range(1, 30), "gone", "grace@example.com"),
        conversation(range(101, 131), "stays", said="fine"),
    )
    installation.produce([one for pair in zip(gone, stays, strict=False) for one in pair])
    installation.produce(stays)
    installation.wait_for(SESSIONS, otlp.expected_sessions([*gone, *stays]))
    assert SECRET in texts(installation)
    assert SECRET in live_texts(installation)

    dry = json.loads(
        installation.spanloom("forget", "--project", "default", "--session", "gone", "--dry-run", "--json")
    )
    assert dry == {"dry_run": True, "traces": 29, "spans": 87, "sessions": 1}
    more = conversation(range(201, 260), "stays", said="fine")

    def send() -> None:
        for one in more:
            installation.produce([one])

    sending = threading.Thread(target=send)
    sending.start()
    said = installation.spanloom("forget", "--project", "default", "--session", "gone")
    sending.join()
    assert said == "forgot 29 traces with 87 spans, of 1 session\n"
    everything = [*stays, *more]
    installation.wait_for(SESSIONS, otlp.expected_sessions(everything))
    installation.wait_for(TRACES, otlp.expected_traces(everything))
    assert len(installation.sql(SPANS)) == 3 * (30 + 59)
    assert SECRET not in texts(installation)
    assert "grace@example.com" not in texts(installation)
    assert SECRET not in live_texts(installation)
    assert "grace@example.com" not in live_texts(installation)

    worker.kill()
    installation.worker()
    # Redelivered, as ingest does it after a crash: dated before. And a new trace of the session.
    installation.produce(gone, timestamp=int(time.time() * 1000) - 600_000)
    later = conversation(range(301, 302), "gone", said="new")
    installation.produce(later)
    everything += later
    installation.wait_for(SESSIONS, otlp.expected_sessions(everything))
    installation.wait_for(TRACES, otlp.expected_traces(everything))
    installation.wait_for(SPANS, sorted(installation.sql(SPANS), key=lambda row: row["span_id"]))
    assert len(installation.sql(SPANS)) == 3 * (30 + 59 + 1)
    assert SECRET not in live_texts(installation)

    again = conversation(range(1, 3), "gone", said="again")
    installation.produce(again)
    everything += again
    installation.wait_for(TRACES, otlp.expected_traces(everything))
    installation.wait_for(SESSIONS, otlp.expected_sessions(everything))
    audit = installation.sql("SELECT step, project_id, kind, traces, spans FROM erasures ORDER BY time")
    assert audit == [
        {"step": "begun", "project_id": "default", "kind": "session", "traces": 29, "spans": 87},
        {"step": "done", "project_id": "default", "kind": "session", "traces": 29, "spans": 87},
    ]


def test_a_worker_that_is_killed_meanwhile_leaves_nothing_behind(installation: Installation) -> None:
    worker = installation.worker()
    gone, stays = conversation(range(1, 400), "gone"), conversation(range(1001, 1100), "stays", said="fine")
    mixed = [one for pair in zip(gone, [*stays, *[stays[0]] * len(gone)], strict=False) for one in pair]
    installation.produce(mixed)
    installation.wait_for(SESSIONS, otlp.expected_sessions([*gone, *stays]))
    said = ""

    def forget() -> None:
        nonlocal said
        said = installation.spanloom("forget", "--project", "default", "--session", "gone")

    forgetting = threading.Thread(target=forget)
    forgetting.start()
    noted = "SELECT count() AS n FROM forgotten_traces"
    wait_until(lambda: installation.sql(noted) != [{"n": 0}], "the erasures to be on their way")
    worker.kill()
    installation.worker()
    forgetting.join()
    assert said == "forgot 399 traces with 1197 spans, of 1 session\n"
    assert installation.sql(SESSIONS) == otlp.expected_sessions(stays)
    assert installation.sql(TRACES) == otlp.expected_traces(stays)
    assert len(installation.sql(SPANS)) == len(stays)
    assert SECRET not in texts(installation)
    assert SECRET not in live_texts(installation)
