"""Every recording's truth holds in ClickHouse, read with plain SQL over HTTP."""

from __future__ import annotations

import json
from typing import Any

from spanloom.spans.folding.counters import Counters
from tests.captures_truth import captures
from tests.integration.installation import Installation

TOKENS = tuple(name for name in Counters._fields if name.endswith("_tokens"))


def test_every_recording_is_true_in_the_views(installation: Installation) -> None:
    installation.worker()
    installation.spanloom("send", "tests/captures")
    truths: dict[str, dict[str, dict[str, Any]]] = {"session": {}, "trace": {}}
    for capture in captures():
        truths["session"].update(capture.truth["sessions"])
        truths["trace"].update(capture.truth["traces"])
    for kind, truth in truths.items():
        names = ", ".join(f"'{name}'" for name in truth)
        installation.wait_for(
            f"SELECT {kind}_id AS id, span_count AS spans FROM {kind}s WHERE id IN ({names}) ORDER BY id",
            [{"id": name, "spans": truth[name]["spans"]} for name in sorted(truth)],
        )
    sessions = installation.sql(
        """
        SELECT *, trace_count AS traces, span_count AS spans, llm_call_count AS llm_calls, error_count AS errors,
            toUnixTimestamp64Nano(start_time) AS start_unix_nano, toUnixTimestamp64Nano(end_time) AS end_unix_nano
        FROM sessions
        """
    )
    traces = installation.sql(
        """
        SELECT *, name AS root_name, span_count AS spans, llm_call_count AS llm_calls, error_count AS errors,
            toUnixTimestamp64Nano(start_time) AS start_unix_nano, toUnixTimestamp64Nano(end_time) AS end_unix_nano
        FROM traces
        """
    )
    for kind, found in (("session", sessions), ("trace", traces)):
        columns = {row[f"{kind}_id"]: row for row in found}
        for name, known in truths[kind].items():
            # Null is what the telemetry does not hold; but nobody is the user of a session without one.
            told = {key: value for key, value in known.items() if value is not None or key == "user_id"}
            told["user_id"] = told.get("user_id", columns[name]["user_id"]) or ""
            assert {key: columns[name][key] for key in told} == told, name
    spans = installation.sql(
        "SELECT trace_id, count() AS spans FROM spans GROUP BY trace_id ORDER BY trace_id"
    )
    assert spans == installation.sql("SELECT trace_id, span_count AS spans FROM traces ORDER BY trace_id")

    # The sum over all sessions is that over their traces, and that over all traces is that over the spans which count.
    def sums(condition: str, cost: str) -> str:
        tokens = ", ".join(f"sumIf({name}, {condition}) AS {name}" for name in TOKENS)
        return f"{tokens}, sum(if({cost}, toInt64(round(total_cost * 1e12)), 0)) AS cost"

    over_sessions = installation.sql(f"SELECT {sums('true', 'true')} FROM sessions")
    in_sessions = f"SELECT {sums('true', 'true')} FROM traces WHERE session_id != ''"
    assert over_sessions == installation.sql(in_sessions)
    over_traces = installation.sql(f"SELECT {sums('true', 'true')} FROM traces")
    assert over_traces == installation.sql(f"SELECT {sums('counts', 'cost_counts')} FROM spans")
    assert over_traces[0]["cost"] > 0
    # Some wrappers did repeat what stands inside them, or there would be nothing to see here.
    everything = installation.sql(f"SELECT {sums('true', 'true')} FROM spans")
    assert everything[0]["input_tokens"] > over_traces[0]["input_tokens"]
    [calls] = installation.sql("SELECT countIf(unpriced) AS unpriced FROM spans")
    assert [calls] == installation.sql("SELECT sum(unpriced_call_count) AS unpriced FROM traces")

    # And that over the models.
    models = json.loads(installation.spanloom("models", "--since", "1970-01-01", "--json"))
    for name in TOKENS:
        assert sum(model[name] for model in models) == over_traces[0][name]
    assert round(sum(model["total_cost"] for model in models) * 1e12) == over_traces[0]["cost"]


def test_the_command_line_shows_them(installation: Installation) -> None:
    installation.worker()
    installation.spanloom("send", "--retime", "tests/captures/py-lmnr")
    installation.wait_for(
        "SELECT trace_count FROM sessions WHERE session_id = 'conv-1'", [{"trace_count": 5}]
    )
    assert "conv-1" in installation.spanloom("sessions", "--sort", "cost")
    shown = installation.spanloom("session", "conv-1")
    assert "Where is my order 1234?" in shown
    assert "every call since" in installation.spanloom("models", "--unpriced")
    trace_id = installation.sql("SELECT trace_id FROM traces WHERE name = 'failing_turn'")[0]["trace_id"]
    assert "failing_turn" in installation.spanloom("trace", trace_id)
    assert "there is no session nobody" in installation.spanloom("session", "nobody", code=1)
    assert installation.spanloom("sessions", "--project", "another", "--json").strip() == "[]"
