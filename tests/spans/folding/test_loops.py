"""Calls of a loop that state what it has used so far are counted once."""

from __future__ import annotations

import pytest

from spanloom.spans.conventions.families import Scope, adds_up
from spanloom.spans.folding.facts import Fact
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.table import USAGE_ADDS_UP
from tests.spans.examples import KEY, TOOL, call, fact


def loop(*steps: tuple[int, int] | None, marks: int = USAGE_ADDS_UP) -> list[Fact]:
    """Steps below one span: calls with input and output tokens, and tools."""
    spans = [fact(1)]
    for number, step in enumerate(steps, 2):
        if step is None:
            spans.append(fact(number, 1, span_type=TOOL))
        else:
            tokens, answered = step
            spans.append(call(number, 1, input_tokens=tokens, output_tokens=answered, marks=marks))
    return spans


def used(spans: list[Fact]) -> tuple[int, int, int]:
    counters = fold(KEY, spans).counters
    return counters.llm_call_count, counters.input_tokens, counters.output_tokens


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(64, 26), None, (135, 55)], (2, 135, 55)),
        ([(64, 26), None, (135, 55), None, (213, 87)], (3, 213, 87)),
        ([(64, 26), None, None, (135, 55)], (2, 135, 55)),
        # No tool between them: calls of their own.
        ([(64, 26), (135, 55)], (2, 199, 81)),
        # Less is added than was there: the program ran the tool and asked again.
        ([(64, 26), None, (71, 29)], (2, 135, 55)),
        ([(64, 26), None, (135, 55), None, (140, 60)], (3, 275, 115)),
        # A second question behind a loop.
        ([(64, 26), None, (135, 55), (150, 20)], (3, 285, 75)),
    ],
)
def test_loops(steps: list[tuple[int, int] | None], expected: tuple[int, int, int]) -> None:
    assert used(loop(*steps)) == expected


def test_other_instrumentations_add_nothing_up() -> None:
    assert used(loop((64, 26), None, (135, 55), marks=0)) == (2, 199, 81)


def test_calls_whose_parents_are_missing_are_no_loop_of_one() -> None:
    steps = loop((64, 26), None, (135, 55))[1:]
    assert used([fact(1), *(step._replace(parent_span_id=99) for step in steps)]) == (2, 135, 55)
    apart = [step._replace(parent_span_id=97 + number) for number, step in enumerate(steps)]
    assert used([fact(1), *apart]) == (2, 199, 81)


def test_which_span_of_a_loop_counts_is_told() -> None:
    trace = fold(KEY, loop((64, 26), None, (135, 55)))
    assert trace.exceptions.counts == (f"{2:016x}",)
    assert trace.counters.unpriced_call_count == 0


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope("org.springframework.boot", "3.5.7"), True),
        (Scope("org.springframework.boot", "4.0.0"), False),
        (Scope("org.springframework.boot", ""), False),
        (Scope("org.springframework.boot", "\u0663.5"), False),
        (Scope("org.springframework.boot", "9" * 5000), False),
        (Scope("com.example", "3.5.7"), False),
    ],
)
def test_whose_usage_adds_up(scope: Scope, expected: bool) -> None:
    assert adds_up(scope) is expected
