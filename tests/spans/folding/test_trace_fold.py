from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.folding.facts import Fact, SpanLabels
from spanloom.spans.folding.trace.fold import Trace, fold
from spanloom.spans.table import SPAN_TYPES
from tests.spans.examples import CHAIN, EMBEDDING, KEY, SECOND, START, TOOL, call, fact, traces


def counter(trace: Trace, name: str) -> int:
    value: int = getattr(trace.counters, name)
    return value


@given(traces(), st.randoms(use_true_random=False))
def test_the_order_of_facts_changes_nothing(facts: list[Fact], random: object) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(KEY, shuffled) == fold(KEY, facts)


class TestSession:
    def test_the_best_ranked_key_wins_over_an_earlier_span(self) -> None:
        made_up = fact(1, session_id="made up", session_key=7)
        explicit = fact(2, 1, session_id="explicit", session_key=1)
        assert fold(KEY, [made_up, explicit]).session_id == "explicit"

    def test_among_equal_ranks_the_earliest_span_wins(self) -> None:
        later = fact(1, start_time=START + 9, session_id="later", session_key=3)
        earlier = fact(2, 1, start_time=START, session_id="earlier", session_key=3)
        assert fold(KEY, [later, earlier]).session_id == "earlier"

    def test_at_the_same_time_the_smallest_span_id_wins(self) -> None:
        big = fact(9, start_time=START, session_id="big", session_key=3)
        small = fact(2, start_time=START, session_id="small", session_key=3)
        assert fold(KEY, [big, small]).session_id == "small"

    def test_users_follow_the_same_rule(self) -> None:
        spans = [fact(1, user_id="by framework", user_key=8), fact(2, 1, user_id="alice", user_key=1)]
        assert fold(KEY, spans).user_id == "alice"


class TestUsageCountsOnce:
    def test_a_wrapper_that_repeats_the_usage_of_its_calls_does_not_count(self) -> None:
        wrapper = fact(1, span_type=CHAIN, input_tokens=20, output_tokens=10, total_cost=600)
        trace = fold(KEY, [wrapper, call(2, 1), call(3, 1)])
        assert counter(trace, "input_tokens") == 20
        assert counter(trace, "output_tokens") == 10
        assert counter(trace, "total_cost") == 600
        assert counter(trace, "llm_call_count") == 2

    def test_a_wrapper_counts_where_nothing_below_it_bears_usage(self) -> None:
        trace = fold(KEY, [fact(1, span_type=CHAIN, input_tokens=20), fact(2, 1, span_type=TOOL)])
        assert counter(trace, "input_tokens") == 20

    def test_embeddings_bear_usage_but_are_no_llm_calls(self) -> None:
        trace = fold(KEY, [fact(1), fact(2, 1, span_type=EMBEDDING, input_tokens=7)])
        assert counter(trace, "input_tokens") == 7
        assert counter(trace, "llm_call_count") == 0

    def test_a_retry_as_a_sibling_counts_too(self) -> None:
        assert counter(fold(KEY, [fact(1), call(2, 1), call(3, 1)]), "llm_call_count") == 2

    def test_a_span_that_names_itself_as_parent_is_a_root(self) -> None:
        assert counter(fold(KEY, [call(1, 1)]), "input_tokens") == 10

    @pytest.mark.parametrize("wrapper", ["CHAIN", "AGENT", "LLM", "DEFAULT", "TOOL"])
    def test_a_wrapper_of_any_type_gives_way_to_a_call_far_below(self, wrapper: str) -> None:
        spans = [
            call(1, span_type=SPAN_TYPES.index(wrapper)),
            fact(2, 1),
            fact(3, 2, span_type=TOOL),
            call(4, 3),
        ]
        trace = fold(KEY, spans)
        assert counter(trace, "input_tokens") == 10
        assert counter(trace, "llm_call_count") == 1

    def test_below_a_span_that_never_comes_nothing_is_known_of_what_wraps_it(self) -> None:
        """The one case in which usage counts twice: the link between wrapper and call is missing."""
        assert counter(fold(KEY, [call(1), call(3, 2)]), "input_tokens") == 20
        assert counter(fold(KEY, [call(1), fact(2, 1), call(3, 2)]), "input_tokens") == 10

    def test_tokens_without_a_price_are_counted_and_not_free(self) -> None:
        unpriced = call(2, 1, priced=False, input_cost=0, output_cost=0, total_cost=0)
        trace = fold(KEY, [fact(1), unpriced, call(3, 1)])
        assert counter(trace, "unpriced_call_count") == 1
        assert counter(trace, "total_cost") == 300

    def test_circles_of_parents_end(self) -> None:
        assert fold(KEY, [call(1, 2), call(2, 1), call(3, 1)]).name == "span 1"

    def test_sums_stop_at_what_a_column_holds(self) -> None:
        trace = fold(KEY, [call(1, input_tokens=2**63), call(2, input_tokens=2**63)])
        assert counter(trace, "input_tokens") == 2**63 - 1


class TestInputAndOutput:
    def test_they_are_those_of_the_calls_with_the_fewest_ancestors(self) -> None:
        spans = [
            fact(1, input_preview="raw root input", output_preview="raw root output"),
            call(2, 1, asked="question", answered="first"),
            fact(3, 1, span_type=TOOL),
            call(4, 3, asked="inner question", answered="inner answer"),
            call(5, 1, asked="question and history", answered="final"),
        ]
        trace = fold(KEY, spans)
        assert (trace.input, trace.output) == ("question", "final")

    def test_a_call_within_its_own_repetition_is_no_deeper(self) -> None:
        without_usage = {"input_tokens": 0, "output_tokens": 0, "total_cost": 0, "status": 2}
        spans = [
            fact(1),
            call(2, 1, asked="question", answered="", **without_usage),
            call(3, 1, asked="question", answered="final"),
            call(4, 3, asked="question", answered="final"),
            fact(5, 1, span_type=TOOL),
            call(6, 5, asked="inner question", answered="inner answer"),
        ]
        trace = fold(KEY, spans)
        assert (trace.input, trace.output, counter(trace, "llm_call_count")) == ("question", "final", 3)

    def test_a_call_that_answers_with_tool_calls_only_has_no_output(self) -> None:
        trace = fold(KEY, [fact(1), call(2, 1, asked="q", answered="text"), call(3, 1, asked="q")])
        assert trace.output == "text"

    def test_without_messages_they_are_the_roots(self) -> None:
        spans = [fact(1, input_preview="in", output_preview="out"), call(2, 1)]
        assert (fold(KEY, spans).input, fold(KEY, spans).output) == ("in", "out")


class TestTheRest:
    def test_the_root_names_the_trace_even_if_it_starts_last(self) -> None:
        spans = [fact(1, 5), fact(5, start_time=START + 100 * SECOND, status=2)]
        trace = fold(KEY, spans)
        assert (trace.name, trace.root_span_id, trace.status) == ("span 5", 5, "error")

    def test_while_the_root_is_missing_the_topmost_span_stands_in(self) -> None:
        assert fold(KEY, [fact(3, 2), fact(2, 77)]).name == "span 2"

    def test_times_span_all_spans(self) -> None:
        trace = fold(KEY, [fact(1), fact(2, 1, duration=10 * SECOND), fact(3, 1)])
        assert (trace.start_time, trace.end_time) == (START + SECOND, START + 12 * SECOND)

    def test_labels_are_united_and_later_metadata_holds(self) -> None:
        spans = [
            fact(2, 1, labels=SpanLabels(("b",), (("k", "new"), ("l", "2")))),
            fact(1, labels=SpanLabels(("a", "b"), (("k", "old"),))),
        ]
        trace = fold(KEY, spans)
        assert trace.tags == ("a", "b")
        assert trace.metadata == {"k": "new", "l": "2"}

    @pytest.mark.parametrize(
        ("name", "expected"), [("tool_call_count", 1), ("error_count", 2), ("span_count", 3)]
    )
    def test_spans_are_counted(self, name: str, expected: int) -> None:
        spans = [fact(1, status=2), fact(2, 1, span_type=TOOL), fact(3, 1, status=2)]
        assert counter(fold(KEY, spans), name) == expected

    def test_a_chain_of_thousands_is_folded(self) -> None:
        spans = (
            [fact(1)] + [fact(span, span - 1) for span in range(2, 5000)] + [call(5000, 4999), call(5001, 1)]
        )
        assert counter(fold(KEY, spans), "llm_call_count") == 2
