"""What can fail, fails without losing or doubling anything."""

from __future__ import annotations

import random
import time

from spanloom.agents.app import EXIT_FAILED
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span


def load(traces: int, seed: int = 1) -> list[bytes]:
    """Messages of some 20 spans: traces of five spans whose spans are spread over several messages."""
    generator = random.Random(seed)
    now = time.time_ns()
    spans = []
    for trace in range(1, traces + 1):
        session = f"s{trace % (traces // 3 + 1)}"
        trace_id = (0x0192 << 112) | generator.getrandbits(64)  # time-ordered: they share their first bytes
        spans += [
            span(trace_id, 1, start=now, session__id=session),
            *(
                llm(trace_id, number, 1, start=now + number * SECOND, tokens=number * 10)
                for number in (2, 3, 4)
            ),
            span(trace_id, 5, 4, start=now, error=True),
        ]
    generator.shuffle(spans)
    return [message(*spans[start : start + 20]) for start in range(0, len(spans), 20)]


def test_kill_9_in_the_middle_of_a_load_and_again_during_recovery(installation: Installation) -> None:
    installation.settings["SPANLOOM_WORKER__BATCH_BYTES"] = "20000"
    worker = installation.worker()
    messages = load(600)
    installation.produce(messages)
    wait_until(lambda: installation.committed("spanloom.span-facts") > 0, "some state to be in the changelog")
    worker.kill()
    before = len(worker.log)
    worker.start(ready=False)
    wait_until(lambda: "Restoring state from changelog" in worker.log[before:], "the worker to recover", 60)
    worker.kill()
    worker.start()
    installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=180)
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


def test_the_other_worker_takes_over(installation: Installation) -> None:
    workers = [installation.worker(), installation.worker()]
    messages = load(300, seed=2)
    installation.produce(messages[: len(messages) // 2])
    wait_until(lambda: installation.committed() >= len(messages) // 10, "some of the load to be through")
    workers[0].kill()
    installation.produce(messages[len(messages) // 2 :])
    installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=60)
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


def test_a_worker_that_stays_reads_only_the_state_that_is_new_to_it(installation: Installation) -> None:
    stays, goes = installation.worker(), installation.worker()
    wait_until(lambda: (stays.probe("/ready"), goes.probe("/ready")) == (200, 200), "both to be ready", 60)
    messages = load(90, seed=6)
    installation.produce(messages[: len(messages) // 2])
    wait_until(lambda: installation.committed("spanloom.span-facts") > 0, "some of the load to be through")
    assert goes.stop() == 0
    wait_until(lambda: "changelogs: 4 partitions, 4 kept" in stays.log, "the other to take over", 60)
    installation.produce(messages[len(messages) // 2 :])
    installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=60)
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


def test_sigterm_ends_with_a_last_checkpoint_and_exit_code_0(installation: Installation) -> None:
    worker = installation.worker()
    messages = load(60, seed=3)
    installation.produce(messages)
    wait_until(lambda: installation.committed() > 0, "something to be through")
    assert worker.stop() == 0
    installation.worker()
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


def test_an_unexpected_error_ends_the_process_and_acknowledges_nothing(installation: Installation) -> None:
    worker = installation.worker()
    installation.sql("DROP TABLE traces_versions")
    messages = load(30, seed=4)
    installation.produce(messages)
    assert worker.wait() == EXIT_FAILED
    assert installation.committed("spanloom.span-facts") == 0
    assert "run `spanloom migrate`" in worker.log


def test_bad_input_harms_only_itself(installation: Installation) -> None:
    worker = installation.worker()
    good = message(llm(1, 1, session__id="good"))
    bad_utf8 = message(llm(2, 1, session__id="salvaged", note="XXXX")).replace(b"XXXX", b"\xff\xfe\xc3(")
    without_ids = message(span(b"", 7), llm(3, 1, session__id="neighbour"))
    garbage, truncated = b"\xff\x00garbage", good[:-7]
    sent = [good, garbage, bad_utf8, truncated, without_ids, b"", b'{"not": "otlp"}']
    installation.produce(sent)
    installation.wait_for(
        "SELECT session_id, span_count FROM sessions ORDER BY session_id",
        [{"session_id": name, "span_count": 1} for name in ("good", "neighbour", "salvaged")],
    )
    wait_until(lambda: installation.committed() == len(sent), "everything acknowledged")
    letters = installation.consume("spanloom.dead-letters")
    values = [letter.value for letter in letters]
    assert len(letters) == 4
    assert garbage in values
    assert truncated in values
    for letter in letters:
        headers = dict(letter.headers)
        assert headers.keys() == {"reason", "topic", "partition", "offset"}
        assert headers["topic"] == b"otlp_spans"
        assert headers["reason"]
    assert installation.sql("SELECT count() AS n FROM spans") == [{"n": 3}]
    assert worker.running
    assert worker.probe("/live") == 200


def test_garbage_in_an_inner_topic_is_a_dead_letter_too(installation: Installation) -> None:
    worker = installation.worker()
    installation.produce([b"\xff\xff\xff"], topic="spanloom.span-facts")
    installation.produce([b"\xff\xff\xff"], topic="spanloom.trace-facts")
    good = message(llm(1, 1, session__id="good"))
    installation.produce([good])
    installation.wait_for(SESSIONS, otlp.expected_sessions([good]))
    wait_until(lambda: len(installation.consume("spanloom.dead-letters")) == 2, "two dead letters")
    assert worker.running


def test_a_missing_topic_is_one_sentence(installation: Installation) -> None:
    installation.settings["SPANLOOM_KAFKA__SOURCE_TOPIC"] = "nowhere"
    sentence = installation.spanloom("worker", code=1)
    assert "topic nowhere does not exist: run `spanloom topics` first" in sentence


def test_another_number_of_partitions_is_one_sentence(installation: Installation) -> None:
    installation.settings["SPANLOOM_KAFKA__PARTITIONS"] = "5"
    assert "has 4 partitions, but SPANLOOM_KAFKA__PARTITIONS says 5" in installation.spanloom(
        "worker", code=1
    )
    assert "nothing of them was changed" in installation.spanloom("topics", code=2)
