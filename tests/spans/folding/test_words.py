"""The person's words and the answer that person got, out of templates, routers and reviewers."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.spans.folding.facts import Fact, SpanTexts
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.table import (
    INPUT_IS_TEXT,
    INPUT_OF_TRACE,
    OUTPUT_IS_TEXT,
    OUTPUT_OF_TRACE,
    SPAN_TYPES,
    STATUSES,
)
from tests.spans.examples import CHAIN, KEY, LLM, SECOND, TOOL, call, fact

AGENT = SPAN_TYPES.index("AGENT")


def said(*facts: Fact) -> tuple[str, str]:
    trace = fold(KEY, facts)
    return trace.input, trace.output


def recorder(span_id: int, parent: int = 0, asked: str = "", answered: str = "", **fields: Any) -> Fact:
    """A span that recorded texts, and others inside JSON (`inside`)."""
    marks = (INPUT_IS_TEXT if asked else 0) | (OUTPUT_IS_TEXT if answered else 0)
    values = {"span_type": CHAIN, "input_preview": asked, "output_preview": answered, "marks": marks}
    return fact(span_id, parent, **{**values, **fields})


def with_json(asked: tuple[str, ...] = (), answered: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """What a span recorded as JSON, with texts inside."""
    return {
        "input_preview": str({"in": asked}) if asked else "",
        "output_preview": str({"out": answered}) if answered else "",
        "inside": SpanTexts(asked, answered),
        "marks": 0,
        **fields,
    }


class TestInput:
    def test_where_nothing_else_has_a_word_a_tool_that_asks_a_model(self) -> None:
        tool = recorder(2, 1, **with_json(("Where are parks?",), span_type=TOOL, answered=()))
        other = recorder(3, 1, "Berlin", "20C", span_type=TOOL)
        inner = recorder(4, 2, "inside", "too", span_type=TOOL)
        asked = call(5, 4)
        assert said(fact(1), tool, other, inner, asked)[0] == str({"in": ("Where are parks?",)})
        assert said(fact(1), other, call(5, 1)) == ("", "")
        assert said(recorder(1, span_type=TOOL, asked="i", answered="o")) == ("", "")
        assert said(fact(1), inner, call(5, 4, "Hello", "Hi")) == ("Hello", "Hi")
        assert said(fact(1), inner, recorder(6, 1, "run", "ran"), call(5, 4)) == ("run", "ran")

    def test_what_stands_in_a_template_was_asked(self) -> None:
        template = "Use this context: parks.\n\nQuestion: Where are parks?"
        assert (
            said(recorder(1, asked="Where are parks?"), call(2, 1, template, "There."))[0]
            == "Where are parks?"
        )

    def test_so_does_a_text_inside_of_json(self) -> None:
        root = recorder(1, **with_json(("gpt four", "Where are parks?")))
        assert said(root, call(2, 1, "Answer: Where are parks?", "There."))[0] == "Where are parks?"

    def test_the_longest_of_several(self) -> None:
        root = recorder(1, **with_json(("parks", "Where are parks?")))
        assert said(root, call(2, 1, "New task:\nWhere are parks?", "There."))[0] == "Where are parks?"

    def test_quotes_white_space_and_backslashes_make_no_difference(self) -> None:
        root = recorder(1, asked='He said "hi"\n twice')
        assert said(root, call(2, 1, 'Task: He said \\"hi\\" twice.', "ok"))[0] == 'He said "hi"\n twice'

    def test_pictures_that_came_along_are_no_template(self) -> None:
        message = "What is this?\n[image: image/png]"
        assert said(recorder(1, asked="What is this?"), call(2, 1, message, "A cat."))[0] == message

    def test_another_text_is_not_what_was_asked(self) -> None:
        assert (
            said(recorder(1, asked="run 7"), call(2, 1, "Where are parks?", "There."))[0]
            == "Where are parks?"
        )

    def test_the_first_main_call_that_has_a_message(self) -> None:
        assert said(fact(1), call(2, 1), call(3, 1, "hi", "hello"))[0] == "hi"

    def test_a_call_borrows_from_the_llm_span_around_it(self) -> None:
        outer = call(2, 1, "hi", "hello", input_tokens=0, output_tokens=0, total_cost=0)
        assert said(fact(1), outer, fact(3, 2, span_type=CHAIN), call(4, 3)) == ("hi", "hello")

    def test_without_messages_the_witness_speaks(self) -> None:
        assert said(recorder(1, asked="hi"), call(2, 1))[0] == "hi"
        root = recorder(1, **with_json(("one thing", "another thing")))
        assert said(root, call(2, 1))[0] == root.input_preview

    def test_the_witness_is_the_outermost_that_recorded_anything(self) -> None:
        inner = recorder(3, 2, asked="inner")
        assert said(fact(1), recorder(2, 1, asked="outer"), inner, call(4, 3))[0] == "outer"
        # Neither a tool nor another call is one.
        tool = recorder(2, 1, asked="tool", span_type=TOOL)
        assert said(fact(1), tool, call(4, 1, "the question", "a"))[0] == "the question"


class TestOutput:
    def test_what_failed_and_gave_nothing_back_answered_nothing(self) -> None:
        failed = recorder(2, 1, "please fail", status=STATUSES.index("error"))
        inside = recorder(3, 2, "", "saved", span_type=AGENT)
        assert said(fact(1), failed, inside) == ("please fail", "")
        assert said(fact(1), failed._replace(status=0), inside) == ("please fail", "saved")

    def test_what_lies_in_what_told_tells_nothing(self) -> None:
        """Sent in one message with the span around it, it would not carry its words."""
        first = recorder(2, 1, "", "{}", marks=0)
        around = recorder(3, 2, "", "around", span_type=SPAN_TYPES.index("DEFAULT"))
        inside = recorder(4, 3, "", "inside", span_type=AGENT)
        assert said(fact(1), first, around, inside)[1] == "{}"
        assert said(fact(1), first, inside)[1] == "inside"

    def test_of_turns_in_one_trace_the_last_one(self) -> None:
        turns = [recorder(2, 1, "one?", "one", name="turn"), recorder(5, 1, "two?", "two", name="turn")]
        calls = [call(3, 2, "one?", "one"), call(6, 5, "two?", "two")]
        assert said(fact(1), *turns, *calls) == ("one?", "two")
        # One that failed answered nothing.
        assert said(fact(1), *turns, *calls, recorder(8, 1, "three?", name="turn")) == ("one?", "two")
        # Others beside the first witness are no turns of it.
        other = recorder(8, 1, "saved", "done", name="memory")
        assert said(fact(1), *turns[:1], calls[0], other) == ("one?", "one")

    def test_of_agents_in_a_workflow_the_last_one(self) -> None:
        steps = [fact(2, 1, name="writing"), fact(3, 1, name="reviewing")]
        writer = recorder(4, 2, "a poem", "draft", name="writer", span_type=AGENT)
        reviewer = recorder(6, 3, "a poem", "final", name="reviewer", span_type=AGENT)
        calls = [call(5, 4, "a poem", "draft"), call(7, 6, "a poem", "final")]
        assert said(fact(1), *steps, writer, reviewer, *calls) == ("a poem", "final")
        # An agent further in, or one of another SDK, does not answer for the first.
        inner = recorder(8, 6, "check", "draft", name="checker", span_type=AGENT)
        assert said(fact(1), *steps, writer, inner, *calls)[1] == "draft"
        assert said(fact(1), *steps, writer, reviewer._replace(scope="other"), *calls)[1] == "draft"

    def test_an_agent_beside_the_first_does_not_answer_for_it(self) -> None:
        helper = recorder(2, 1, "a poem?", "a poem", name="helper", span_type=AGENT)
        title = recorder(4, 1, "a poem?", "Poetry request", name="title", span_type=AGENT)
        calls = [call(3, 2, "a poem?", "a poem"), call(5, 4, "a poem?", "Poetry request")]
        assert said(fact(1), helper, title, *calls) == ("a poem?", "a poem")

    def test_nor_does_one_that_began_before_the_first_was_done(self) -> None:
        steps = [fact(2, 1), fact(3, 1)]
        one = recorder(4, 2, "a poem?", "a poem", name="one", span_type=AGENT, duration=3 * SECOND)
        two = recorder(6, 3, "a poem?", "an ode", name="two", span_type=AGENT)
        calls = [call(5, 4, "a poem?", "a poem"), call(7, 6, "a poem?", "an ode")]
        assert said(fact(1), *steps, one, two, *calls)[1] == "a poem"

    def test_the_last_answer_that_the_witness_gave_back(self) -> None:
        spans = [call(2, 1, "q", "The answer."), call(3, 1, "q", "APPROVED")]
        assert said(recorder(1, answered="The answer."), *spans)[1] == "The answer."
        root = recorder(1, **with_json((), ("The answer.", "fine")))
        assert said(root, *spans)[1] == "The answer."

    def test_the_text_of_the_witness_inside_of_an_answer(self) -> None:
        answer = '{"reply": "The answer.", "score": 3}'
        assert said(recorder(1, answered="The answer."), call(2, 1, "q", answer))[1] == "The answer."

    def test_what_no_call_said_a_tool_or_the_program_did(self) -> None:
        assert said(recorder(1, answered="Sorry, no."), call(2, 1, "q", "Rude words"))[1] == "Sorry, no."

    def test_json_that_no_call_said_is_no_answer(self) -> None:
        root = recorder(1, **with_json((), ("some state",)))
        assert said(root, call(2, 1, "q", "The answer."))[1] == "The answer."

    def test_without_any_words_of_a_call_the_outermost_agent_tells(self) -> None:
        agent = recorder(2, 1, answered="Agent's words", span_type=AGENT)
        assert said(fact(1, **with_json((), ("x y",))), agent, call(3, 2))[1] == "Agent's words"

    def test_a_pure_tool_call_is_no_answer(self) -> None:
        assert said(fact(1), call(2, 1, "q", "Let me see."), call(3, 1, "q"))[1] == "Let me see."


@pytest.mark.parametrize("order", [1, -1])
def test_what_a_trace_says_of_itself_wins(order: int) -> None:
    root = recorder(1, asked="raw", answered="raw")
    stated = fact(
        2, 1, span_type=LLM, input_preview="in", output_preview="out", marks=INPUT_OF_TRACE | OUTPUT_OF_TRACE
    )
    assert said(*[root, stated, call(3, 1, "q", "a")][::order]) == ("in", "out")
