"""Stored spans go through the workers once more: totals follow what has changed, and nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.captures_truth import captures
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span

EVER = ("--from", "2000-01-01", "--to", "2200-01-01", "--rate", "100000")

SPANS = "SELECT * FROM spans ORDER BY project_id, trace_id, span_id"
HIDDEN = "SELECT * EXCEPT (version) FROM spans_versions FINAL ORDER BY project_id, trace_id, span_id"
TOTALS = "SELECT session_id, round(total_cost, 9) AS cost FROM sessions ORDER BY session_id"
TIMES_REPLAYED = """
SELECT bitAnd(version, 63) AS times, count() AS n FROM spans_versions FINAL GROUP BY times ORDER BY times
"""


def prices(installation: Installation, dollars: float) -> None:
    """Own prices of the model that `llm` calls: USD a million tokens, twice as much for output."""
    file = installation.folder / "prices.toml"
    file.write_text(f'[[price]]\nmodel = "gpt-4o-mini"\ninput = {dollars}\noutput = {2 * dollars}\n')
    installation.settings["SPANLOOM_WORKER__PRICES_FILE"] = str(file)


def everything(installation: Installation) -> list[Any]:
    return [installation.sql(query) for query in (SPANS, HIDDEN, TRACES, SESSIONS, TOTALS)]


def wait_until_read(installation: Installation) -> None:
    """Wait until all that was sent is acknowledged by all stages."""

    def is_read(topic: str) -> bool:
        return installation.committed(topic) == len(installation.consume(topic))

    for topic in ("otlp_spans", "spanloom.span-facts", "spanloom.trace-facts"):
        wait_until(partial(is_read, topic), f"{topic} read", 60)


def replaying(installation: Installation, *options: str) -> subprocess.Popen[str]:
    """A replay in the background."""
    command = [sys.executable, "-m", "spanloom", "replay", *options]
    return subprocess.Popen(
        command, env=installation.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_every_recording_replayed_twice_is_what_it_was(installation: Installation) -> None:
    installation.worker()
    messages = [value for capture in captures() for value in capture.messages]
    # All in one partition: of two records of one millisecond and offset the versions don't say which was which.
    for value in messages:
        installation.produce([value])
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    wait_until_read(installation)
    before = everything(installation)
    [row] = installation.sql("SELECT count() AS spans, uniqExact(trace_id) AS traces FROM spans")
    for times in (1, 2):
        printed = installation.spanloom("replay", *EVER)
        assert printed == f"sent {row['spans']:,} spans of {row['traces']:,} traces again\n"
        installation.wait_for(TIMES_REPLAYED, [{"times": times, "n": row["spans"]}])
        wait_until_read(installation)
        assert everything(installation) == before


def test_totals_follow_changed_prices_and_stated_costs_stay(installation: Installation) -> None:
    prices(installation, 1)
    worker = installation.worker()
    installation.produce(
        [
            message(span(1, 1, session__id="a"), llm(1, 2, 1, tokens=1000)),
            message(llm(2, 3, tokens=1000, session__id="a", input__value="long " * 50_000)),
            message(llm(3, 4, tokens=1000, session__id="b", gen_ai__usage__cost=0.25)),
            message(llm(4, 5, tokens=1000, session__id="of another project")),
        ][:3]
    )
    installation.produce(
        [message(llm(4, 5, tokens=1000, session__id="c"))], headers=[("spanloom-project", b"other")]
    )
    first = [("a", 0.004), ("b", 0.25), ("c", 0.002)]
    installation.wait_for(TOTALS, [{"session_id": name, "cost": cost} for name, cost in first])
    before = installation.sql(
        "SELECT span_id, length(input) AS n, attributes, input FROM spans ORDER BY span_id"
    )
    assert [row["n"] for row in before] == [0, 0, 250_000, 0, 0]
    assert worker.stop() == 0
    prices(installation, 10)
    worker = installation.worker()
    # Only one project first, then only one session of the others, then all that is left.
    wanted = ("--project", "other"), ("--session", "a"), ()
    expected = (
        [("a", 0.004), ("b", 0.25), ("c", 0.02)],
        [("a", 0.04), ("b", 0.25), ("c", 0.02)],
        [("a", 0.04), ("b", 0.25), ("c", 0.02)],
    )
    for options, costs in zip(wanted, expected, strict=True):
        installation.spanloom("replay", *EVER, *options)
        wait_until_read(installation)
        installation.wait_for(TOTALS, [{"session_id": name, "cost": cost} for name, cost in costs])
    assert (
        installation.sql("SELECT span_id, length(input) AS n, attributes, input FROM spans ORDER BY span_id")
        == before
    )
    # The state of the worker holds what it has read: a late span of a replayed trace finds it.
    installation.produce([message(llm(1, 6, 1, tokens=1000))])
    installation.wait_for(
        TOTALS, [{"session_id": n, "cost": c} for n, c in [("a", 0.06), ("b", 0.25), ("c", 0.02)]]
    )


def test_a_session_that_a_new_key_names_takes_its_traces(installation: Installation) -> None:
    worker = installation.worker()
    begin = time.time_ns() - 7200 * SECOND
    calls = [
        llm(
            number,
            number,
            start=begin,
            session__id="made up",
            acme__chat=f"chat {number % 2}",
            tokens=number * 10,
        )
        for number in range(1, 5)
    ]
    installation.produce([message(each) for each in calls])
    tokens = "SELECT session_id, trace_count, input_tokens FROM sessions ORDER BY session_id"
    installation.wait_for(tokens, [{"session_id": "made up", "trace_count": 4, "input_tokens": 100}])
    assert worker.stop() == 0
    keys = installation.folder / "keys.toml"
    keys.write_text('[[key]]\nname = "acme.chat"\nfield = "session_id"\n')
    installation.settings["SPANLOOM_WORKER__CONVENTIONS_FILE"] = str(keys)
    installation.worker()
    assert installation.spanloom("replay", *EVER, "--session", "no such") == (
        "no trace has a span in that range: nothing was sent\n"
    )
    installation.spanloom("replay", *EVER, "--session", "made up")
    installation.wait_for(
        tokens,
        [
            {"session_id": "chat 0", "trace_count": 2, "input_tokens": 60},
            {"session_id": "chat 1", "trace_count": 2, "input_tokens": 40},
        ],
    )


def test_a_span_that_came_in_meanwhile_stays_the_newer_one(installation: Installation) -> None:
    prices(installation, 1)
    worker = installation.worker()
    begin = time.time_ns()
    old, new = (
        message(llm(1, 1, start=begin, session__id="s", tokens=tokens, name=name))
        for tokens, name in ((1000, "old"), (5000, "new"))
    )
    names = "SELECT name, input_tokens FROM spans"
    totals = "SELECT input_tokens, round(total_cost, 9) AS cost FROM sessions"
    installation.produce([old])
    installation.wait_for(totals, [{"input_tokens": 1000, "cost": 0.002}])
    assert worker.stop() == 0
    # The newer one waits in the topic while the older one is read from ClickHouse and sent behind it.
    installation.produce([new])
    installation.spanloom("replay", *EVER, "--max-lag", "1000")
    installation.worker()
    wait_until_read(installation)
    installation.wait_for(names, [{"name": "new", "input_tokens": 5000}])
    installation.wait_for(totals, [{"input_tokens": 5000, "cost": 0.01}])


def test_it_goes_on_where_it_was_killed(installation: Installation, tmp_path: Path) -> None:
    installation.worker()
    traces, file = 600, tmp_path / "replay.json"
    begin = time.time_ns()
    installation.produce(
        [message(*(llm(number, number, start=begin, session__id=f"s{number % 7}") for number in some))
         for some in (range(first, first + 50) for first in range(1, traces, 50))]
    )  # fmt: skip
    installation.wait_for("SELECT count() AS n FROM traces", [{"n": traces}])
    wait_until_read(installation)
    before = everything(installation)
    options = (*EVER[:4], "--rate", "200", "--progress", str(file))
    running = replaying(installation, *options)
    wait_until(lambda: file.exists() and json.loads(file.read_text())["done"] >= 100, "a part sent", 60)
    running.kill()
    running.communicate(timeout=30)
    stopped = json.loads(file.read_text())
    assert not stopped["finished"]
    assert stopped["done"] < traces
    assert installation.spanloom("replay", *options[:4], "--rate", "1000", *options[6:]) == (
        f"sent {traces} spans of {traces} traces again\n"
    )
    wait_until_read(installation)
    replayed = {row["times"]: row["n"] for row in installation.sql(TIMES_REPLAYED)}
    # All of them, and at most what one portion holds twice.
    assert set(replayed) <= {1, 2}
    assert replayed.get(2, 0) <= 128
    assert everything(installation) == before
    assert installation.spanloom("replay", *options) == (
        f"this replay is finished, sent {traces} spans of {traces} traces again: to run it again, delete {file}\n"
    )
    assert "is of another replay (--from 2000-01-01 --to 2200-01-01)" in installation.spanloom(
        "replay", "--from", "2001-01-01", "--progress", str(file), code=1
    )


def test_a_trace_of_which_spans_were_deleted_keeps_its_totals(
    installation: Installation, tmp_path: Path
) -> None:
    worker = installation.worker()
    begin = time.time_ns()
    installation.produce(
        [
            message(
                llm(trace, trace, start=begin, session__id="s"), llm(trace, 10 + trace, trace, start=begin)
            )
            for trace in (1, 2, 3)
        ]
    )
    wait_until(lambda: installation.sql("SELECT sum(span_count) AS n FROM traces") == [{"n": 6}], "all", 60)
    wait_until_read(installation)
    assert worker.stop() == 0
    installation.lose_the_broker()  # and with it what the state knew
    deleted = ", ".join(f"'{number:016x}'" for number in (11, 13))
    installation.sql(
        f"ALTER TABLE spans_versions DELETE WHERE span_id IN ({deleted}) SETTINGS mutations_sync = 2"
    )
    before = everything(installation)
    installation.worker()
    options = (*EVER, "--progress", str(tmp_path / "replay.json"))
    printed = installation.spanloom("replay", *options)
    assert printed == (
        "sent 2 spans of 1 trace again; left out 2 of which some spans are gone (SPANS_DAYS, or a database that was"
        " restored): they would count less than they do\n"
    )
    assert "left out 2" in installation.spanloom("replay", *options)
    installation.wait_for(TIMES_REPLAYED, [{"times": 0, "n": 2}, {"times": 1, "n": 2}])
    wait_until_read(installation)
    assert everything(installation) == before


def test_it_waits_while_the_workers_are_behind(installation: Installation) -> None:
    worker = installation.worker()
    installation.produce([message(llm(1, 1, session__id="s"))])
    installation.wait_for("SELECT count() AS n FROM sessions", [{"n": 1}])
    assert worker.stop() == 0
    for first in range(2, 102, 10):  # the local broker tells no end within the last batch
        installation.produce([message(llm(2, number)) for number in range(first, first + 10)])
    running = replaying(installation, *EVER, "--session", "s", "--max-lag", "5")
    assert running.stderr is not None
    assert "messages to read: waiting until they have 5 (--max-lag)" in running.stderr.readline()
    assert not [record for record in installation.consume("otlp_spans") if record.headers]
    installation.worker()
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, out) == (0, "sent 1 span of 1 trace again\n")
    installation.wait_for(TIMES_REPLAYED, [{"times": 0, "n": 100}, {"times": 1, "n": 1}])


def test_an_archive_makes_whole_what_was_cut(installation: Installation, tmp_path: Path) -> None:
    installation.settings["SPANLOOM_LIMITS__TEXT"] = "1024"
    worker = installation.worker()
    begin = time.time_ns() - 7200 * SECOND
    archive = tmp_path / "archive"
    archive.mkdir()
    for number in (1, 2, 3):
        value = message(llm(number, number, start=begin, session__id="s", input__value="long " * 1000))
        (archive / f"{number}.pb").write_bytes(value)
    # The third one was never stored.
    installation.produce([(archive / f"{number}.pb").read_bytes() for number in (1, 2)])
    kept = "SELECT span_id, length(input) AS n FROM spans ORDER BY span_id"
    installation.wait_for(kept, [{"span_id": f"{number:016x}", "n": 1024} for number in (1, 2)])
    wait_until_read(installation)
    [total] = installation.sql(SESSIONS)
    assert worker.stop() == 0
    del installation.settings["SPANLOOM_LIMITS__TEXT"]
    installation.worker()
    assert installation.spanloom("replay", str(archive)) == "sent 3 spans of 3 files again\n"
    installation.wait_for(kept, [{"span_id": f"{number:016x}", "n": 5000} for number in (1, 2, 3)])
    wait_until_read(installation)
    [after] = installation.sql(SESSIONS)
    assert after == total | {name: value // 2 * 3 for name, value in total.items() if isinstance(value, int)}
    assert {row["times"] for row in installation.sql(TIMES_REPLAYED)} == {0, 1}
    installation.spanloom("forget", "--project", "default", "--trace", f"{2:032x}")
    assert installation.spanloom("replay", str(archive)) == (
        "sent 2 spans of 3 files again; left out 1 span of traces that were forgotten\n"
    )
    wait_until_read(installation)
    assert installation.sql(kept) == [{"span_id": f"{number:016x}", "n": 5000} for number in (1, 3)]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ((), 2, "--from is missing: say where to begin, such as --from 7d or --from 2026-11-01"),
        (("--from", "yesterday"), 2, "--from yesterday is no time from 1970 to 2261"),
        (("--from", "1d", "--to", "2d"), 2, "--to 2d is not after --from 1d: exchange them"),
        (("x.pb", "--session", "s"), 2, "an archive does not say which session a trace stands in"),
        (("missing.pb",), 1, "missing.pb can't be read: No such file or directory"),
        (("--from", "1d", "--progress", "/nowhere/file"), 1, "/nowhere/file can't be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    installation: Installation, options: tuple[str, ...], code: int, sentence: str
) -> None:
    printed = installation.spanloom("replay", *options, code=code)
    assert printed.startswith(sentence)
    assert printed.count("\n") == 1
