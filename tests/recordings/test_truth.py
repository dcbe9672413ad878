"""Truth comes from the program and the server; the recording may only agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recordings.truth import TruthError, as_read, truth
from tests.spans.reading.otlp_examples import SPAN_ID, START, TRACE_ID, event, request, span

CALLS: list[dict[str, Any]] = [
    {"path": "/v1/embeddings", "input_tokens": 57, "output_tokens": 0, "usage_sent": True},
    {"path": "/v1/chat/completions", "input_tokens": 64, "output_tokens": 26, "usage_sent": True},
    {"path": "/v1/chat/completions", "input_tokens": 71, "output_tokens": 29, "usage_sent": False},
    {"path": "/v1/chat/completions", "input_tokens": 78, "output_tokens": 32, "usage_sent": True},
]
TURN: dict[str, Any] = {
    "trace_id": TRACE_ID.hex(),
    "session_id": "s",
    "user_id": "u",
    "tags": ["b", "a"],
    "said": "hi",
    "said_is_told": True,
    "answer": "hello",
    "fails": False,
    "first_call": 0,
    "end_call": 3,
}
INSIDE = span(span_id=b"inside!!", parent_span_id=SPAN_ID, name="call")


def test_a_turn_sums_its_own_calls() -> None:
    found = truth("x", [TURN], CALLS, [request(INSIDE), request(span())])
    trace = found["traces"][TRACE_ID.hex()]
    # What a stream did not report, no span can hold.
    assert (trace["llm_calls"], trace["input_tokens"], trace["output_tokens"]) == (2, 121, 26)
    assert (trace["root_name"], trace["spans"], trace["errors"]) == ("step", 2, 0)
    assert (trace["input"], trace["output"], trace["start_unix_nano"]) == ("hi", "hello", START)
    session = found["sessions"]["s"]
    assert (session["traces"], session["user_id"], session["tags"]) == (1, "u", ["a", "b"])


@pytest.mark.parametrize(
    ("turns", "because"),
    [
        ([TURN | {"trace_id": "00"}], "recorded"),
        ([TURN, TURN], "turns"),
        ([TURN | {"fails": True}], "0 spans with errors"),
    ],
)
def test_what_does_not_agree_is_refused(turns: list[dict[str, Any]], because: str) -> None:
    with pytest.raises(TruthError, match=because):
        truth("x", turns, CALLS, [request(span())])


def test_words_that_no_span_has_are_no_input() -> None:
    found = truth("x", [TURN | {"said_is_told": False}], CALLS, [request(span())])
    assert found["traces"][TRACE_ID.hex()]["input"] == ""
    found = truth("x", [TURN | {"end_call": 1}], CALLS, [request(span())])
    assert found["traces"][TRACE_ID.hex()]["input"] is None


def test_parts_of_the_usage_are_true_as_far_as_the_turn_names_them() -> None:
    parts = {"cache_read_tokens": 10, "cache_write_tokens": 0, "reasoning_tokens": 4}
    calls = [call | parts for call in CALLS]
    named = TURN | {"details": ["cache_read_tokens"]}
    found = truth("x", [named], calls, [request(INSIDE), request(span())])
    trace, session = found["traces"][TRACE_ID.hex()], found["sessions"]["s"]
    for sums in (trace, session):
        assert (sums["cache_read_tokens"], sums["cache_write_tokens"], sums["reasoning_tokens"]) == (
            20,
            None,
            None,
        )
    assert "cache_read_tokens" not in truth("x", [TURN], calls, [request(span())])["traces"][TRACE_ID.hex()]


def test_turns_without_a_session_are_no_session() -> None:
    found = truth("x", [TURN | {"session_id": ""}], CALLS, [request(span())])
    assert found["sessions"] == {}
    assert found["traces"][TRACE_ID.hex()]["session_id"] == ""


def test_calls_that_share_a_span_are_not_counted() -> None:
    turns = [TURN | {"calls_are_told": False}]
    found = truth("x", turns, CALLS, [request(span())])
    assert found["traces"][TRACE_ID.hex()]["llm_calls"] is None
    assert (found["sessions"]["s"]["llm_calls"], found["sessions"]["s"]["input_tokens"]) == (None, 121)


@pytest.mark.parametrize(
    ("kind", "fails"), [("langgraph.errors.GraphInterrupt", False), ("ValueError", True)]
)
def test_a_graph_that_stops_to_ask_reports_an_error_and_has_not_failed(kind: str, *, fails: bool) -> None:
    stopped = span(events=[event("exception", {"exception.type": kind, "exception.message": "()"})])
    stopped.status.code = 2  # type: ignore[assignment]
    found = truth("x", [TURN | {"fails": fails}], CALLS, [request(stopped)])
    assert found["traces"][TRACE_ID.hex()]["errors"] == 1


def test_usage_that_no_span_can_hold_is_none_of_the_truth() -> None:
    turns = [TURN | {"end_call": 2, "unread_before": 1}, TURN | {"first_call": 2, "end_call": 4, "unread": 1}]
    read = as_read(turns, [call | {"usage_sent": True} for call in CALLS])
    assert [call["usage_sent"] for call in read] == [False, True, True, False]
