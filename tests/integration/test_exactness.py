"""Duplicates, disorder, moves and lateness change no total."""

from __future__ import annotations

import random
import time

from tests.captures_truth import captures
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span


def recorded() -> list[bytes]:
    return [value for capture in captures() for value in capture.messages]


def test_single_spans_in_any_order_three_times_over_through_two_workers(installation: Installation) -> None:
    installation.worker()
    installation.worker()
    messages = recorded()
    messages_of_one_span = otlp.single_span_messages(messages) * 3
    random.Random(7).shuffle(messages_of_one_span)
    for start in range(0, len(messages_of_one_span), 40):
        installation.produce(messages_of_one_span[start : start + 40])
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    wait_until(lambda: installation.committed() == len(messages_of_one_span), "everything acknowledged")
    assert installation.sql(TRACES) == otlp.expected_traces(messages)


def test_a_trace_moves_when_a_better_session_id_comes_with_its_root(installation: Installation) -> None:
    installation.worker()
    now = time.time_ns()
    early = message(llm(1, 2, 1, start=now + SECOND, gen_ai__conversation__id="made up"))
    installation.produce([early])
    installation.wait_for(SESSIONS, otlp.expected_sessions([early]))
    assert [row["session_id"] for row in installation.sql(SESSIONS)] == ["made up"]
    root = message(span(1, 1, start=now, session__id="explicit"))
    installation.produce([root])
    installation.wait_for(SESSIONS, otlp.expected_sessions([early, root]))
    assert [row["session_id"] for row in installation.sql(SESSIONS)] == ["explicit"]
    installation.wait_for(TRACES, otlp.expected_traces([early, root]))


def test_a_trace_moves_to_an_earlier_window(installation: Installation) -> None:
    installation.worker()
    hour = 3600 * SECOND
    begin = time.time_ns() // hour * hour
    late = message(llm(1, 2, 1, start=begin + SECOND, session__id="s"))
    root = message(span(1, 1, start=begin - SECOND, session__id="s"))
    windows = "SELECT toUnixTimestamp(window_start) AS start, span_count FROM session_windows"
    installation.produce([late])
    installation.wait_for(windows, [{"start": begin // SECOND, "span_count": 1}])
    installation.produce([root])
    installation.wait_for(windows, [{"start": begin // SECOND - 3600, "span_count": 2}])


def test_a_span_after_its_trace_was_forgotten_finds_it_again(installation: Installation) -> None:
    installation.settings["SPANLOOM_WORKER__RETENTION"] = "1"
    worker = installation.worker()
    start = time.time_ns() - 7200 * SECOND
    hours_ago = start // 1_000_000
    first = [
        message(span(1, 1, start=start, session__id="s", user__id="u"), llm(1, 2, 1, start=start + SECOND)),
        message(llm(2, 1, start=start + 2 * SECOND, session__id="s")),
    ]
    installation.produce(first, timestamp=hours_ago)
    installation.wait_for(SESSIONS, otlp.expected_sessions(first))

    # Other traces move the stream clocks of all partitions on.
    others = [message(span(1000 + number, 1, start=start)) for number in range(40)]
    installation.produce(others, timestamp=hours_ago + 60_000)
    installation.wait_for("SELECT count() AS n FROM traces", [{"n": 42}])
    later = [message(llm(5000 + number, 1, start=start, session__id=f"o{number}")) for number in range(40)]
    installation.produce(later, timestamp=hours_ago + 120_000)
    installation.wait_for("SELECT count() AS n FROM sessions", [{"n": 41}])
    wait_until(lambda: worker.metrics()['spanloom_open_keys{stage="traces"}'] <= 40, "traces to be forgotten")

    late = [
        message(llm(1, 3, 1, tokens=100, start=start + 3 * SECOND)),
        message(llm(2, 2, 1, tokens=200, start=time.time_ns())),  # goes on after two hours
    ]
    installation.produce(late, timestamp=hours_ago + 180_000)
    everything = [*first, *others, *later, *late]
    installation.wait_for(TRACES, otlp.expected_traces(everything))
    installation.wait_for(SESSIONS, otlp.expected_sessions(everything))
    tombstones = [
        record for record in installation.consume("spanloom.traces-changelog") if record.value is None
    ]
    assert tombstones


def test_a_broker_that_lost_everything_does_no_harm(installation: Installation) -> None:
    worker = installation.worker()
    now = time.time_ns()
    before = [message(span(1, 1, start=now, session__id="s"), llm(1, 2, 1, start=now + SECOND))]
    installation.produce(before)
    installation.wait_for(SESSIONS, otlp.expected_sessions(before))
    worker.stop()
    installation.lose_the_broker()
    installation.worker()
    after = [
        message(llm(1, 3, 1, tokens=50, start=now + 2 * SECOND)),
        message(llm(2, 1, start=now + 3 * SECOND, session__id="s")),
        *before,  # a retry
    ]
    installation.produce(after)
    installation.wait_for(TRACES, otlp.expected_traces([*before, *after]))
    installation.wait_for(SESSIONS, otlp.expected_sessions([*before, *after]))


def test_projects_are_kept_apart(installation: Installation) -> None:
    installation.worker()
    same = [message(llm(1, 1, session__id="s"))]
    installation.produce(same, headers=[("spanloom-project", b"one")])
    installation.produce(same, headers=[("spanloom-project", b"two")])
    installation.produce([message(llm(1, 1, session__id="s"), resource={"spanloom.project_id": "three"})])
    installation.wait_for(
        "SELECT project_id, session_id, trace_count FROM sessions ORDER BY project_id",
        [{"project_id": name, "session_id": "s", "trace_count": 1} for name in ("one", "three", "two")],
    )
