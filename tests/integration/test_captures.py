"""Every recording's truth holds in ClickHouse, read with plain SQL over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.captures_truth import captures
from tests.integration.installation import Installation


def test_every_recording_is_true_in_the_views(installation: Installation) -> None:
    installation.worker()
    installation.spanloom("send", "tests/captures")
    sessions: list[dict[str, Any]] = []
    traces: list[dict[str, Any]] = []
    for capture in captures():
        for session_id, truth in capture.truth["sessions"].items():
            sessions.append({"session_id": session_id, **truth, "user_id": truth["user_id"] or ""})
        for trace_id, truth in capture.truth["traces"].items():
            traces.append({"trace_id": trace_id, **truth})
    installation.wait_for(
        """
        SELECT session_id, trace_count AS traces, span_count AS spans, llm_call_count AS llm_calls, input_tokens,
            output_tokens, error_count AS errors, user_id, tags,
            toUnixTimestamp64Nano(start_time) AS start_unix_nano, toUnixTimestamp64Nano(end_time) AS end_unix_nano
        FROM sessions ORDER BY session_id
        """,
        sorted(sessions, key=lambda row: row["session_id"]),
    )
    found = installation.sql(
        """
        SELECT trace_id, session_id, name AS root_name, span_count AS spans, llm_call_count AS llm_calls,
            input_tokens, output_tokens, error_count AS errors,
            toUnixTimestamp64Nano(start_time) AS start_unix_nano, toUnixTimestamp64Nano(end_time) AS end_unix_nano,
            if(llm_call_count = 0, NULL, input) AS input, if(llm_call_count = 0, NULL, output) AS output
        FROM traces ORDER BY trace_id
        """
    )
    assert found == sorted(traces, key=lambda row: row["trace_id"])
    assert installation.sql(
        "SELECT trace_id, count() AS spans FROM spans GROUP BY trace_id ORDER BY trace_id"
    ) == [{"trace_id": row["trace_id"], "spans": row["spans"]} for row in found]

    # The sum over all sessions is that over all traces, and that over the spans which count.
    sums = "sum(input_tokens) AS input, sum(output_tokens) AS output, round(sum(total_cost), 12) AS cost"
    over_sessions = installation.sql(f"SELECT {sums} FROM sessions")
    assert over_sessions == installation.sql(f"SELECT {sums} FROM traces")
    spans = installation.sql(
        """
        SELECT trace_id, span_id, parent_span_id, span_type, input_tokens AS input, output_tokens AS output,
            total_cost AS cost
        FROM spans
        """
    )
    counted = without_wrappers(spans)
    total = {column: sum(span[column] for span in counted) for column in ("input", "output", "cost")}
    assert over_sessions == [{**total, "cost": pytest.approx(total["cost"], abs=1e-11)}]
    assert over_sessions[0]["cost"] > 0
    # Some wrappers did repeat what stands inside them, or there would be nothing to see here.
    assert sum(span["input"] for span in spans) > total["input"]

    # And that over the models.
    models = json.loads(installation.spanloom("models", "--since", "1970-01-01", "--json"))
    for name in ("input", "output"):
        assert sum(model[f"{name}_tokens"] for model in models) == over_sessions[0][name]
    assert sum(model["total_cost"] for model in models) == pytest.approx(over_sessions[0]["cost"])


def without_wrappers(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans that bear usage and have none inside them that does, found by walking down from each."""
    inside: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for span in spans:
        inside.setdefault((span["trace_id"], span["parent_span_id"]), []).append(span)

    def bears(span: dict[str, Any]) -> bool:
        is_call = span["span_type"] in ("LLM", "EMBEDDING")
        return bool(is_call or span["input"] or span["output"] or span["cost"])

    def bears_inside(span: dict[str, Any]) -> bool:
        children = inside.get((span["trace_id"], span["span_id"]), [])
        return any(bears(child) or bears_inside(child) for child in children)

    return [span for span in spans if bears(span) and not bears_inside(span)]


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
