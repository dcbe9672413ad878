"""What `spanloom forget` takes a user, a trace and a date to be, and what it does without workers."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span


def test_a_user_a_trace_and_a_date(installation: Installation) -> None:
    installation.worker()
    now = time.time_ns()
    long_ago = now - 48 * 3600 * SECOND
    of_user = message(span(1, 1, start=now, session__id="s", user__id="ada"))
    names_user = message(
        span(2, 1, start=now, session__id="s", user__id="bob"), llm(2, 2, 1, start=now, user__id="ada")
    )
    of_other = message(span(3, 1, start=now, session__id="s", user__id="bob"))
    without_session = message(llm(0xABC, 1, start=now))
    old = message(span(5, 1, start=long_ago, session__id="s"), llm(5, 2, 1, start=long_ago))
    stays = message(span(6, 1, start=now, session__id="t"))
    everything = [of_user, names_user, of_other, without_session, old, stays]
    installation.produce(everything)
    installation.wait_for(TRACES, otlp.expected_traces(everything))
    installation.wait_for(SESSIONS, otlp.expected_sessions(everything))

    def forget(*what: str) -> tuple[int, int]:
        said = json.loads(installation.spanloom("forget", "--project", "default", "--json", *what))
        return said["traces"], said["spans"]

    day_ago = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    other_project = installation.spanloom("forget", "--project", "another", "--user", "ada")
    assert other_project == "nothing of that is stored\n"
    assert forget("--user", "ada") == (2, 3)
    left = [of_other, without_session, old, stays]
    installation.wait_for(TRACES, otlp.expected_traces(left))
    assert forget("--trace", f"{0xABC:032X}") == (1, 1)
    assert forget("--before", day_ago) == (1, 2)
    left = [of_other, stays]
    installation.wait_for(TRACES, otlp.expected_traces(left))
    installation.wait_for(SESSIONS, otlp.expected_sessions(left))
    assert installation.sql("SELECT count() AS n FROM spans") == [{"n": 2}]
    assert forget("--user", "ada") == (0, 0)


def test_a_command_that_is_broken_off_is_finished_by_the_next(installation: Installation) -> None:
    worker = installation.worker()
    now = time.time_ns()
    gone = message(span(1, 1, start=now, session__id="gone", input__value="must go"))
    stays = message(span(2, 1, start=now, session__id="stays"))
    installation.produce([gone, stays])
    installation.wait_for(SESSIONS, otlp.expected_sessions([gone, stays]))
    worker.stop()
    said = installation.spanloom(
        "forget", "--project", "default", "--session", "gone", "--patience", "2", code=1
    )
    assert said == (
        "no worker has come further in spanloom.span-facts for 2 seconds: start one, and run the command again, which"
        " goes on where it ended\n"
    )
    noted = "SELECT count() AS n FROM forgotten_traces"
    assert installation.sql(noted) == [{"n": 1}]
    installation.worker()
    installation.wait_for(SESSIONS, otlp.expected_sessions([stays]))
    assert installation.sql("SELECT max(input = 'must go') AS there FROM spans_versions") == [{"there": 1}]
    installation.spanloom("forget", "--project", "default", "--session", "gone")
    assert installation.sql("SELECT max(input = 'must go') AS there FROM spans_versions") == [{"there": 0}]
    assert installation.sql(noted) == [{"n": 0}]


def test_one_fast_clock_hides_nothing_that_others_send_later(installation: Installation) -> None:
    installation.worker()
    now = time.time_ns()
    ours = message(span(1, 1, start=now, session__id="gone"))
    fast = message(span(2, 1, start=now, session__id="gone"))
    installation.produce([ours])
    installation.produce([fast], timestamp=now // 1_000_000 + 20 * 60_000)
    installation.wait_for(SESSIONS, otlp.expected_sessions([ours, fast]))
    installation.spanloom("forget", "--project", "default", "--session", "gone")
    installation.wait_for(TRACES, [])
    later = message(llm(1, 2, start=now, session__id="anew"))
    installation.produce([later, message(llm(2, 2, start=now, session__id="anew"))])
    installation.wait_for(SESSIONS, otlp.expected_sessions([later]))
    installation.wait_for(TRACES, otlp.expected_traces([later]))


def test_what_is_refused_for_a_time_does_not_start_anew(installation: Installation) -> None:
    installation.settings["SPANLOOM_WORKER__REFUSE_FORGOTTEN"] = "3600"
    installation.worker()
    now = time.time_ns()
    gone = message(span(1, 1, start=now, session__id="gone"))
    installation.produce([gone])
    installation.wait_for(SESSIONS, otlp.expected_sessions([gone]))
    installation.spanloom("forget", "--project", "default", "--trace", f"{1:032x}")
    installation.produce([message(llm(1, 2, 1, start=now))])
    marker = message(span(9, 9, start=now, session__id="marker"))
    for _ in range(4):  # one behind it in every partition
        installation.produce([marker] * 4)
    installation.wait_for(SESSIONS, otlp.expected_sessions([marker]))
    installation.wait_for("SELECT span_id FROM spans", [{"span_id": f"{9:016x}"}])
