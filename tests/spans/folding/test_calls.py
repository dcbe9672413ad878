"""A call counts once, however many instrumentations tell of it; and none is lost that has an ID of its own."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloom.spans.folding.facts import Fact
from spanloom.spans.folding.trace.calls import calls_of
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.table import INPUT_IS_MESSAGE, IS_COPY, OUTPUT_IS_MESSAGE
from tests.spans.examples import CHAIN, KEY, LLM, SECOND, START, call, fact

SDK: dict[str, Any] = {"scope": "com.anthropic.sdk.python"}
OTHER: dict[str, Any] = {"scope": "opentelemetry.instrumentation.anthropic"}
SILENT: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0, "total_cost": 0, "priced": False}


def at(start: float, end: float) -> dict[str, Any]:
    """Times of a span, in seconds behind START."""
    return {"start_time": START + int(start * SECOND), "duration": int((end - start) * SECOND)}


def count(*facts: Fact) -> tuple[int, int]:
    """How many calls there are, and what they read."""
    counters = fold(KEY, facts).counters
    return counters.llm_call_count, counters.input_tokens


class TestToldTwice:
    def test_by_the_id_of_the_response(self) -> None:
        one = call(2, 1, response_id="msg_1", **SDK, **at(0, 5))
        assert count(fact(1), one, call(3, 1, response_id="msg_1", **OTHER, **at(0, 5))) == (1, 10)
        assert count(fact(1), one, call(3, 1, response_id="msg_2", **OTHER, **at(0, 5))) == (2, 20)
        # Wherever it stands, and however its times lie.
        assert count(fact(1), one, fact(4, 1), call(3, 4, response_id="msg_1", **OTHER, **at(8, 9))) == (
            1,
            10,
        )

    def test_side_by_side_without_an_id(self) -> None:
        one = call(2, 1, response_id="msg_1", **SDK, **at(1, 5))
        assert count(fact(1), one, call(3, 1, **OTHER, **at(0, 6))) == (1, 10)

    @pytest.mark.parametrize(
        "other",
        [
            {**SDK, **at(0, 6)},
            {**OTHER, **at(2, 9)},
            {**OTHER, **at(0, 6), "input_tokens": 11},
            {**OTHER, **at(0, 6), "parent_span_id": 4},
        ],
        ids=["one instrumentation", "another time", "other tokens", "below another span"],
    )
    def test_what_is_another_call(self, other: dict[str, Any]) -> None:
        one = call(2, 1, response_id="msg_1", **SDK, **at(1, 5))
        calls, _ = count(
            fact(1),
            fact(4, 1),
            one,
            call(3, **{"parent": 1, **other} if "parent_span_id" not in other else other),
        )
        assert calls == 2

    def test_one_that_says_no_tokens_agrees_with_any(self) -> None:
        one = call(2, 1, **SDK, **SILENT, **at(1, 5))
        assert count(fact(1), one, call(3, 1, **OTHER, **at(0, 6))) == (1, 10)

    def test_below_each_other(self) -> None:
        outer = call(2, 1, **OTHER, **at(0, 6))
        assert count(fact(1), outer, call(3, 2, response_id="msg_1", **SDK, **at(1, 5))) == (1, 10)

    def test_the_numbers_of_the_one_that_says_more(self) -> None:
        one = call(2, 1, response_id="msg_1", output_tokens=1, **SDK)
        more = call(3, 1, response_id="msg_1", output_tokens=32, cache_read_tokens=7, **OTHER)
        counters = fold(KEY, [fact(1), one, more]).counters
        assert (counters.output_tokens, counters.cache_read_tokens) == (32, 7)

    def test_texts_of_whichever_has_them(self) -> None:
        numbers = call(2, 1, response_id="msg_1", input_tokens=99, **SDK)
        words = call(3, 1, "hi", "hello", response_id="msg_1", **OTHER)
        trace = fold(KEY, [fact(1), numbers, words])
        assert (trace.input, trace.output, trace.counters.input_tokens) == ("hi", "hello", 99)

    def test_a_hundred_calls_at_a_time(self) -> None:
        spans = [fact(1)]
        for number in range(100):
            spans.append(call(10 + number, 1, **SDK, **at(0, 50), **SILENT))
            spans.append(call(1000 + number, 1, **OTHER, **at(1, 49), response_id=f"msg_{number}"))
        assert count(*spans) == (100, 1000)


class TestWrappersOfCalls:
    def test_a_span_around_several_calls_is_none_of_them(self) -> None:
        wrapper = call(2, 1, response_id="msg_2", input_tokens=20, **OTHER)
        inner = [call(3 + n, 2, response_id=f"msg_{n}", **SDK) for n in (1, 2)]
        assert count(fact(1), wrapper, *inner) == (2, 20)


class TestCallsAroundCalls:
    def test_another_response_of_the_same_instrumentation_is_another_call(self) -> None:
        outer = call(2, 1, response_id="msg_2", input_tokens=20, **SDK)
        assert count(fact(1), outer, call(3, 2, response_id="msg_1", **SDK)) == (2, 30)
        # Whose own wrapper repeats them both.
        assert count(fact(1, input_tokens=30), outer, call(3, 2, response_id="msg_1", **SDK)) == (2, 30)

    @pytest.mark.parametrize(
        ("outer", "inner"),
        [
            ({**SDK, "response_id": "msg_1"}, [{**SDK, "response_id": "msg_1"}]),
            ({**SDK}, [{**SDK, "response_id": "msg_1"}]),
            ({**SDK, "response_id": "msg_2"}, [{**SDK}]),
            ({**SDK, "response_id": "msg_2"}, [{**OTHER, "response_id": "msg_1"}]),
            ({**SDK, "response_id": "msg_2"}, [{**SDK, "response_id": "msg_1"}, {**SDK}]),
            ({**SDK, "response_id": "2"}, [{**SDK, "response_id": "1"}, {**SDK, "response_id": "2"}]),
        ],
        ids=["its own", "none", "none below", "another instrumentation", "one without", "one of several"],
    )
    def test_what_is_a_wrapper(self, outer: dict[str, Any], inner: list[dict[str, Any]]) -> None:
        below = [call(3 + number, 2, **fields) for number, fields in enumerate(inner)]
        assert count(fact(1), call(2, 1, **outer), *below) == (len(below), 10 * len(below))

    def test_deep_traces_take_no_time_of_their_square(self) -> None:
        """20,000 spans, each around the next one, each with a response of its own: sets are merged, never copied."""
        deep = [call(1 + n, n, response_id=f"msg_{n}", **SDK) for n in range(20_000)]
        assert count(*deep) == (20_000, 200_000)


class TestCopies:
    def test_a_copy_lends_what_the_call_lacks(self) -> None:
        stream = call(2, 1, "hi", **SILENT, marks=INPUT_IS_MESSAGE, **at(0, 0.1))
        log = call(3, 1, "hi", "hello", marks=IS_COPY | INPUT_IS_MESSAGE | OUTPUT_IS_MESSAGE, **at(3, 3))
        trace = fold(KEY, [fact(1), stream, log])
        assert (trace.counters.llm_call_count, trace.counters.input_tokens) == (1, 10)
        assert trace.output == "hello"

    def test_a_copy_of_what_is_there_already_adds_nothing(self) -> None:
        copy = call(3, 1, marks=IS_COPY, **at(3, 3))
        assert count(fact(1), call(2, 1, **at(0, 2)), copy) == (1, 10)

    def test_what_is_fetched_until_it_is_ready_states_the_usage(self) -> None:
        polls = [call(number, 1, marks=IS_COPY, **SILENT, **at(number, number)) for number in (3, 4)]
        ready = [call(number, 1, marks=IS_COPY, **at(number, number)) for number in (5, 6)]
        assert count(fact(1), call(2, 1, **SILENT, **at(0, 1)), *polls, *ready) == (1, 10)

    def test_a_copy_alone_is_the_call(self) -> None:
        assert count(fact(1), call(3, 1, marks=IS_COPY)) == (1, 10)


_SCOPES = st.sampled_from(["", "a", "b", "c"])
_RESPONSES = st.sampled_from(["", "", "m1", "m2", "m3"])


@st.composite
def told(draw: st.DrawFn) -> list[Fact]:
    """Calls and what lies around them, told by several instrumentations in any way."""
    found = []
    for span in range(1, draw(st.integers(1, 9)) + 1):
        start = draw(st.integers(0, 4))
        found.append(
            fact(
                span,
                draw(st.integers(0, span - 1)),
                span_type=draw(st.sampled_from([LLM, LLM, CHAIN])),
                scope=draw(_SCOPES),
                response_id=draw(_RESPONSES),
                input_tokens=draw(st.integers(0, 2)),
                marks=draw(st.sampled_from([0, 0, 0, IS_COPY])),
                **at(start, start + draw(st.integers(0, 4))),
            )
        )
    return found


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 10)
@given(told(), st.randoms(use_true_random=False))
def test_no_call_with_an_id_of_its_own_is_lost(spans: list[Fact], random: Any) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)
    tree = Tree(shuffled)
    calls = calls_of(tree)
    groups = [[tree.spans[position] for position in group] for group in calls.values()]
    # Each call has one ID at most, and each ID of a span that is no wrapper stands for one call.
    for group in groups:
        assert len({one.response_id for one in group} - {""}) <= 1
    members = {one.span_id for group in groups for one in group}
    parents = {one.parent_span_id for one in spans}
    for one in spans:
        if one.span_type == LLM and one.response_id and one.span_id not in parents:
            assert one.span_id in members
    named = [
        (group[0].span_type, response)
        for group in groups
        for response in {one.response_id for one in group} - {""}
    ]
    assert len(named) == len(set(named))
