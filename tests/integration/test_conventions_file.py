"""Keys of one's own, from the file to the views: a worker reads by them, and finds the sessions that they name."""

from __future__ import annotations

from spanloom.spans.conventions.own_keys import own_number
from tests.integration.installation import Installation
from tests.integration.otlp import llm, message, span

_KEYS = """
[[key]]
name = "acme.chat"
field = "session_id"

[[key]]
name = "acme.guess"
field = "session_id"
place = "behind"

[[key]]
name = "acme.usage"
field = "input_tokens"
at = "in"
"""


def test_a_worker_reads_by_them(installation: Installation) -> None:
    keys = installation.folder / "keys.toml"
    keys.write_text(_KEYS)
    installation.settings["SPANLOOM_WORKER__CONVENTIONS_FILE"] = str(keys)
    installation.worker()
    spans = (
        # The first trace: its root guesses, a child says what an SDK would, another what the user means.
        span(1, 1, acme__guess="guessed"),
        llm(1, 2, 1, session__id="of the SDK"),
        span(1, 3, 1, acme__chat="mine", acme__usage='{"in": 7}'),
        # The second one only guesses; in the third the SDK's key goes before a guess.
        span(2, 4, acme__guess="guessed"),
        span(3, 5, acme__guess="guessed", session__id="of the SDK"),
    )
    # One span a message: that of the best key comes last.
    installation.produce([message(each) for each in spans])
    installation.wait_for(
        "SELECT session_id FROM traces ORDER BY trace_id",
        [{"session_id": name} for name in ("mine", "guessed", "of the SDK")],
    )
    installation.wait_for(
        "SELECT span_id, session_key, input_tokens FROM spans_versions FINAL WHERE trace_id LIKE '%1'"
        " ORDER BY span_id",
        [
            {"span_id": f"{1:016x}", "session_key": own_number("acme.guess"), "input_tokens": 0},
            {"span_id": f"{2:016x}", "session_key": 3, "input_tokens": 10},
            {"span_id": f"{3:016x}", "session_key": own_number("acme.chat"), "input_tokens": 7},
        ],
    )


def test_a_file_with_slips_stops_the_start(installation: Installation) -> None:
    keys = installation.folder / "keys.toml"
    keys.write_text('[[key]]\nname = "a"\nfield = "modle"\n[[key]]\nname = "b"\n')
    installation.settings["SPANLOOM_WORKER__CONVENTIONS_FILE"] = str(keys)
    assert installation.spanloom("worker", code=1) == (
        f"SPANLOOM_WORKER__CONVENTIONS_FILE: {keys}, key 1 (a): there is no field `modle`: did you mean model?\n"
        f"SPANLOOM_WORKER__CONVENTIONS_FILE: {keys}, key 2 (b): `field` is missing: add it\n"
    )
