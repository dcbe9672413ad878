"""Kafka drops what a group has committed some time after its last member has left (`offsets.retention.minutes`)."""

from __future__ import annotations

import json
import time

from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span


def test_a_group_whose_offsets_are_gone_reads_all_again_and_changes_nothing(
    installation: Installation,
) -> None:
    """A group of another name has committed nothing, either; the changelogs are those of the one before."""
    now = time.time_ns()
    sent = [
        message(span(trace, 1, start=now, session__id=f"s{trace % 3}"), llm(trace, 2, 1, start=now + SECOND))
        for trace in range(1, 13)
    ]
    worker = installation.worker()
    installation.produce(sent)
    installation.wait_for(SESSIONS, otlp.expected_sessions(sent))
    wait_until(lambda: through(installation), "everything to be acknowledged")
    assert worker.stop() == 0

    installation.settings["SPANLOOM_KAFKA__GROUP_ID"] = "another"
    assert not through(installation)
    sent += [message(llm(trace, 3, 1, tokens=70, start=now + 2 * SECOND)) for trace in range(1, 13, 2)]
    installation.produce(sent[12:])
    again = installation.worker()
    wait_until(lambda: through(installation), "everything to be read again", 60)
    installation.wait_for(TRACES, otlp.expected_traces(sent))
    installation.wait_for(SESSIONS, otlp.expected_sessions(sent))
    assert again.running


def through(installation: Installation) -> bool:
    return not any(each["lag"] for each in json.loads(installation.spanloom("lag", "--json")))
