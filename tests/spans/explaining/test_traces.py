"""What decided on a trace: how its spans stand to its usage, and where its input and output are from."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.spans.explaining.standing import standings
from spanloom.spans.explaining.words import why_input, why_output
from spanloom.spans.folding.facts import Fact, SpanTexts
from spanloom.spans.folding.trace.calls import calls_of
from spanloom.spans.folding.trace.fold import fold, root_of
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.folding.trace.usage import counted
from spanloom.spans.table import (
    COST_IS_STATED,
    INPUT_IS_TEXT,
    INPUT_OF_TRACE,
    IS_COPY,
    OUTPUT_IS_TEXT,
    OUTPUT_OF_TRACE,
    USAGE_ADDS_UP,
)
from tests.spans.examples import CHAIN, KEY, TOOL, call, fact
from tests.spans.explaining.test_recordings import explained
from tests.spans.reading.otlp_examples import PARENT_ID, SPAN_ID, START, request, span

SILENT: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0, "total_cost": 0, "priced": False}


def standing(*facts: Fact) -> dict[int, list[str]]:
    tree = Tree(facts)
    calls = calls_of(tree)
    found = standings(tree, calls, counted(tree, calls))
    return {each.span_id: sentences for each, sentences in zip(tree.spans, found, strict=True)}


class TestStanding:
    def test_calls_count_and_what_stands_around_them_repeats(self) -> None:
        found = standing(fact(1, span_type=CHAIN, input_tokens=20), call(2, 1), call(3, 1))
        assert found[1] == [
            "its tokens repeat those of the calls below, which all state their own, or at least as many"
        ]
        assert found[2] == found[3] == ["its tokens count"]

    def test_a_span_above_a_silent_call_counts_for_all_below(self) -> None:
        found = standing(
            fact(1, span_type=CHAIN, input_tokens=50, priced=True), call(2, 1), call(3, 1, **SILENT)
        )
        assert found[1] == ["its tokens count"]
        for below in (2, 3):
            [sentence] = found[below]
            assert sentence.startswith(
                "its tokens count with those of span 1 (0000000000000001), which stands above"
            )

    def test_a_silent_call_counts_as_unpriced(self) -> None:
        found = standing(fact(1), call(2, 1, **SILENT))
        assert found[2] == ["it is a call that states no tokens", "it counts in unpriced_call_count"]

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"response_id": "r"}, "they carry the same response ID"),
            ({}, "two instrumentations recorded it, and what they tell agrees"),
            ({"marks": IS_COPY}, "their SDK marks one of them as a copy"),
        ],
    )
    def test_a_call_told_twice(self, fields: dict[str, Any], why: str) -> None:
        one = call(2, 1, scope="a", response_id=fields.get("response_id", ""), cache_read_tokens=1)
        found = standing(fact(1), one, call(3, 1, scope="b", start_time=one.start_time, **fields))
        assert found[2] == [
            "2 spans tell of this call; this one says most and speaks for it",
            "its tokens count",
        ]
        assert found[3] == [
            f"it tells of the same call as span 2 (0000000000000002), which says more and counts: {why}"
        ]

    def test_a_silent_call_for_which_nothing_above_speaks(self) -> None:
        """A call around others counts beside them, not instead of them."""
        outer = call(1, scope="a", response_id="r1")
        found = standing(
            outer, call(2, 1, scope="a", response_id="r2"), call(3, 1, scope="a", response_id="r3", **SILENT)
        )
        assert found[1] == ["its tokens count"]
        assert found[3] == ["it is a call that states no tokens", "it counts in unpriced_call_count"]

    def test_a_call_of_a_loop_that_adds_up(self) -> None:
        adding: dict[str, Any] = {"marks": USAGE_ADDS_UP}
        found = standing(
            fact(1),
            call(2, 1, input_tokens=64, output_tokens=26, **adding),
            fact(3, 1, span_type=TOOL),
            call(4, 1, input_tokens=135, output_tokens=55, **adding),
        )
        assert found[2] == [
            "its tokens are part of what the next call below the same span states, which adds up the whole loop"
        ]
        assert found[4] == ["its tokens count"]

    def test_a_model_span_around_calls(self) -> None:
        found = standing(call(1, scope="a"), call(2, 1), call(3, 1))
        assert "it is a span around calls, and no call of its own" in found[1]

    def test_a_cost_above_the_only_call(self) -> None:
        found = standing(
            fact(1, span_type=CHAIN, total_cost=700, priced=True, marks=COST_IS_STATED), call(2, 1)
        )
        assert found[1] == ["its cost counts, for what counts below states none"]
        assert found[2] == [
            "its tokens count",
            "its cost does not: span 1 (0000000000000001) above states it",
        ]


def words(*facts: Fact) -> tuple[str, str, str, str]:
    tree = Tree(facts)
    trace = fold(KEY, facts)
    calls, root = calls_of(tree), root_of(tree)
    return (
        trace.input,
        why_input(tree, calls, root, trace.input),
        trace.output,
        why_output(tree, calls, root, trace.output),
    )


def says(span_id: int, parent: int = 0, asked: str = "", answered: str = "", **fields: Any) -> Fact:
    marks = (INPUT_IS_TEXT if asked else 0) | (OUTPUT_IS_TEXT if answered else 0)
    return fact(span_id, parent, input_preview=asked, output_preview=answered, **{"marks": marks, **fields})


class TestWords:
    def test_a_call_alone(self) -> None:
        asked, why_asked, answered, why_answered = words(fact(1), call(2, 1, "hi", "hello"))
        assert (asked, answered) == ("hi", "hello")
        assert why_asked == "the user's last message in span 2 (0000000000000002), the first main call"
        assert why_answered == "the answer of span 2 (0000000000000002), the last main call that has one"

    def test_a_template_around_the_words_of_the_root(self) -> None:
        asked, why, *_ = words(says(1, asked="Why?"), call(2, 1, "Answer this: Why?"))
        assert asked == "Why?"
        assert why == (
            "a text in what span 1 (0000000000000001), the outermost span that records an input or output, recorded,"
            " which stands in the message of span 2 (0000000000000002): the rest there is a template"
        )

    def test_an_answer_that_the_root_gives_as_well(self) -> None:
        root = says(1, answered='The answer is "42".')
        *_, answered, why = words(root, call(2, 1, answered="42"), call(3, 1, answered="reviewed: fine"))
        assert answered == "42"
        assert why.startswith(
            "the answer of span 2 (0000000000000002), a main call: it stands in what span 1"
        )

    def test_a_text_of_the_root_inside_an_answer(self) -> None:
        *_, answered, why = words(says(1, answered="42"), call(2, 1, answered="So it is 42, I think"))
        assert answered == "42"
        assert why.startswith("a text in what span 1 (0000000000000001)")
        assert why.endswith("which stands in the answer of span 2 (0000000000000002)")

    def test_what_a_program_asked_and_said_itself(self) -> None:
        asked, why_asked, answered, why_answered = words(
            says(1, asked="Why?", answered="Because."), call(2, 1, answered="no")
        )
        assert (asked, answered) == ("Why?", "Because.")
        assert why_asked == why_answered
        assert why_asked.startswith("what span 1 (0000000000000001), the outermost span")

    def test_a_texts_inside_the_json_of_the_root(self) -> None:
        inside = SpanTexts((), ("42",))
        root = fact(1, output_preview='{"a":"42"}', inside=inside)
        *_, answered, why = words(root, call(2, 1, answered="It is 42"))
        assert answered == "42"
        assert why.startswith("a text in what span 1 (0000000000000001)")

    def test_what_a_trace_says_of_itself(self) -> None:
        marks = {"marks": INPUT_OF_TRACE | OUTPUT_OF_TRACE}
        told = says(3, 1, asked="Why?", answered="So.", span_type=TOOL, **marks)
        asked, why_asked, answered, why_answered = words(fact(1), call(2, 1, "x", "y"), told)
        assert (asked, answered) == ("Why?", "So.")
        assert why_asked == "span 3 (0000000000000003) says that this is the input of the whole trace"
        assert why_answered == "span 3 (0000000000000003) says that this is the output of the whole trace"

    def test_an_agent_that_tells_what_nobody_recorded(self) -> None:
        *_, answered, why = words(says(1, asked="Why?"), says(2, 1, answered="So.", span_type=CHAIN))
        assert answered == "So."
        assert why == "what span 2 (0000000000000002), the outermost agent or chain with words, recorded"

    def test_nothing_said_needs_no_reason(self) -> None:
        assert words(fact(1)) == ("", "", "", "")


class TestTraces:
    def test_what_named_the_session_comes_first_then_what_else_is_named(self) -> None:
        root = span({"gen_ai.conversation.id": "made up"}, span_id=PARENT_ID)
        child = span({"session.id": "explicit"}, parent_span_id=PARENT_ID, name="child")
        [trace] = explained(request(root), request(child))
        assert [(each.key, each.value) for each in trace.reasons.sessions] == [
            ("session.id", "explicit"),
            ("gen_ai.conversation.id", "made up"),
        ]
        assert trace.reasons.sessions[0].span == f"child ({SPAN_ID.hex()})"

    def test_a_span_stands_behind_the_one_above_it_even_if_that_starts_later(self) -> None:
        root = span({}, span_id=PARENT_ID, start_time_unix_nano=START + 5, name="root")
        child = span({}, parent_span_id=PARENT_ID, name="child")
        [trace] = explained(request(child), request(root))
        assert [(each.fact.name, each.above) for each in trace.spans] == [("root", -1), ("child", 0)]

    def test_of_a_span_that_was_sent_twice_the_later_one_counts(self) -> None:
        first, again = span({"session.id": "first"}), span({"session.id": "again"})
        [trace] = explained(request(first), request(again))
        [found] = trace.spans
        assert trace.trace.session_id == "again"
        assert [source.given[0].value for source in found.sources] == ["again"]
