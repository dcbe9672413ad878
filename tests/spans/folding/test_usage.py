"""Usage counts once and completely: whatever the tree, in any order, it is what the plain recursion says."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spanloom.spans.folding.counters import Counters
from spanloom.spans.folding.facts import Fact
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.table import COST_IS_STATED, OUTPUT_IS_MESSAGE, STATUSES
from tests.spans.examples import KEY, LLM, call, fact
from tests.spans.folding.plain_usage import AGENT, tokens, totals, trees


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 25)
@given(trees(), st.randoms(use_true_random=False))
def test_any_tree_in_any_order(tree: list[Fact], random: Any) -> None:
    shuffled = list(tree)
    random.shuffle(shuffled)
    counters = fold(KEY, shuffled).counters
    expected = totals(tree)
    assert {name: getattr(counters, name) for name in expected} == expected


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 5)
@given(trees())
def test_what_every_call_states_is_believed(tree: list[Fact]) -> None:
    """Calls that all state their usage count in full, whatever the spans around them say."""
    parents = {one.parent_span_id for one in tree}
    stated = [
        one._replace(input_tokens=one.input_tokens or 3, span_type=LLM)
        if one.span_id not in parents
        else one._replace(response_id="")
        for one in tree
    ]
    leaves = [one for one in stated if one.span_id not in parents]
    counters = fold(KEY, stated).counters
    assert counters.input_tokens == sum(one.input_tokens for one in leaves)
    assert counters.llm_call_count == len(leaves)


def counters(*facts: Fact) -> Counters:
    return fold(KEY, facts).counters


SILENT: dict[str, Any] = {
    "input_tokens": 0,
    "output_tokens": 0,
    "input_cost": 0,
    "output_cost": 0,
    "total_cost": 0,
    "priced": False,
}


class TestTheLastStep:
    def test_calls_of_which_only_the_last_step_is_stated_are_silent(self) -> None:
        agent = fact(1, span_type=AGENT, input_tokens=135, output_tokens=55)
        last = call(2, 1, input_tokens=71, output_tokens=29, scope="@voltagent/core")
        assert counters(agent, last).input_tokens == 135
        assert counters(agent, last._replace(scope="another")).input_tokens == 71
        # Without an agent that states more, what is known counts.
        assert counters(agent._replace(input_tokens=0, output_tokens=0), last).input_tokens == 71


class TestWrappers:
    def test_a_streamed_call_without_usage_leaves_the_agents_statement(self) -> None:
        agent = fact(1, span_type=AGENT, input_tokens=40, output_tokens=9, total_cost=50, priced=True)
        found = counters(agent, call(2, 1, **SILENT))
        assert (found.input_tokens, found.total_cost, found.llm_call_count) == (40, 50, 1)
        assert found.unpriced_call_count == 0

    def test_a_call_that_nobody_knows_the_usage_of_is_not_free(self) -> None:
        assert counters(fact(1), call(2, 1, **SILENT)).unpriced_call_count == 1

    def test_a_call_that_failed_before_it_answered_is_free(self) -> None:
        failed = call(2, 1, status=STATUSES.index("error"), **SILENT)
        assert counters(fact(1), failed).unpriced_call_count == 0
        broken_off = failed._replace(marks=OUTPUT_IS_MESSAGE)
        assert counters(fact(1), broken_off).unpriced_call_count == 1

    def test_the_larger_counts_as_one(self) -> None:
        agent = fact(1, span_type=AGENT, input_tokens=20, total_cost=7, priced=True)
        found = counters(agent, call(2, 1), call(3, 1, **SILENT))
        assert (found.input_tokens, found.output_tokens, found.total_cost) == (20, 0, 7)
        found = counters(agent._replace(input_tokens=12), call(2, 1), call(3, 1, **SILENT))
        assert (found.input_tokens, found.output_tokens, found.total_cost) == (10, 5, 300)

    def test_an_agents_cost_above_a_part_of_its_sub_agents(self) -> None:
        agent = fact(1, span_type=AGENT, total_cost=242, priced=True, marks=COST_IS_STATED)
        inner = fact(2, 1, span_type=AGENT, input_tokens=9, total_cost=2, priced=True, marks=COST_IS_STATED)
        found = counters(agent, inner)
        assert (found.input_tokens, found.total_cost) == (9, 242)

    def test_a_cost_above_one_call_that_states_none_is_its_cost(self) -> None:
        wrapper = fact(1, span_type=LLM, input_tokens=10, total_cost=77, priced=True, marks=COST_IS_STATED)
        found = counters(wrapper, call(2, 1))
        assert (found.input_tokens, found.output_tokens, found.total_cost) == (10, 5, 77)
        stated = call(2, 1, marks=COST_IS_STATED)
        assert counters(wrapper, stated).total_cost == 300
        assert counters(wrapper, call(2, 1), call(3, 1)).total_cost == 600

    def test_tokens_of_a_tree_that_states_nothing(self) -> None:
        assert tokens(fact(1)) == 0
        assert counters(fact(1), fact(2, 1)).input_tokens == 0
