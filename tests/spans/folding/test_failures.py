"""One failure is one, however many spans around it fail with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.table import IS_CONTROL_FLOW, STATUSES
from tests.spans.examples import KEY, SECOND, START, fact

ERROR = STATUSES.index("error")
OK = STATUSES.index("ok")


@pytest.mark.parametrize(
    ("why", "parents", "failed", "expected"),
    [
        ("a call fails its tool and the root", {1: 0, 2: 1, 3: 2}, {1, 2, 3}, 1),
        ("a root fails by itself", {1: 0, 2: 1}, {1}, 1),
        ("two calls fail one root", {1: 0, 2: 1, 3: 1}, {1, 2, 3}, 2),
        ("a call is tried again and succeeds", {1: 0, 2: 1, 3: 1}, {2}, 1),
        ("a step between says nothing of the error", {1: 0, 2: 1, 3: 2}, {1, 3}, 1),
        ("two roots fail", {1: 0, 2: 0}, {1, 2}, 2),
        ("the parent never arrives", {2: 77, 3: 2}, {2, 3}, 1),
        ("nothing fails", {1: 0, 2: 1}, set(), 0),
    ],
)
def test_a_failure_counts_where_it_began(
    why: str, parents: dict[int, int], failed: set[int], expected: int
) -> None:
    spans = [fact(it, parent, status=ERROR if it in failed else OK) for it, parent in parents.items()]
    counters = fold(KEY, spans).counters
    assert (counters.failure_count, counters.error_count) == (expected, len(failed)), why


def test_what_a_framework_raises_to_go_on_is_an_error_and_no_failure() -> None:
    paused = fact(3, 2, status=ERROR, marks=IS_CONTROL_FLOW)
    around = fact(2, 1, status=ERROR, marks=IS_CONTROL_FLOW)
    counters = fold(KEY, [fact(1), around, paused]).counters
    assert (counters.failure_count, counters.error_count) == (0, 2)
    # What failed around it failed by itself.
    counters = fold(KEY, [fact(1, status=ERROR), around, paused]).counters
    assert (counters.failure_count, counters.error_count) == (1, 3)


SPANS = st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 9)), min_size=1, max_size=10)
"""Of each span how far up the list its parent stands (itself or off the list: none), if it failed, when it starts."""


@given(SPANS)
def test_failures_are_those_with_no_error_below(spans: list[tuple[int, bool, int]]) -> None:
    parents = {it: max(0, it - up) if up else 0 for it, (up, _, _) in enumerate(spans, 1)}
    failed = {it for it, (_, fails, _) in enumerate(spans, 1) if fails}

    def one_failed_below(it: int) -> bool:
        return any(child in failed or one_failed_below(child) for child in parents if parents[child] == it)

    facts = [
        fact(it, parents[it], status=ERROR if fails else OK, start_time=START + at * SECOND)
        for it, (_, fails, at) in enumerate(spans, 1)
    ]
    began = [it for it in failed if not one_failed_below(it)]
    assert fold(KEY, facts).counters.failure_count == len(began)
