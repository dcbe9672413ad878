from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.folding import contribution as codec
from spanloom.spans.folding.contribution import (
    Contribution,
    WindowKey,
    contribution_of,
    window_start,
    withdrawn,
)
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.rows import TraceRow, WindowRow, contributions_of, trace_table, window_table
from spanloom.spans.folding.session_fold import fold
from spanloom.spans.folding.trace.fold import fold as fold_trace
from tests.spans.examples import SECOND, START, call, fact, read_back, traces

WINDOW = WindowKey("default", "s1", window_start(START, 3600))


def contribution(number: int, *facts: Fact) -> Contribution:
    key = TraceKey("default", number.to_bytes(16))
    return contribution_of(fold_trace(key, facts), WINDOW, version=number)


@given(st.lists(traces(4), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_contributions_changes_nothing(some: list[list[Fact]], random: object) -> None:
    contributions = [contribution(number, *facts) for number, facts in enumerate(some, 1)]
    shuffled = list(contributions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(WINDOW, shuffled) == fold(WINDOW, contributions)


def test_sums_are_those_of_the_traces() -> None:
    sums = fold(WINDOW, [contribution(1, call(1), call(2)), contribution(2, call(3))])
    assert sums is not None
    assert sums.trace_count == 2
    assert sums.counters.input_tokens == 30
    assert sums.active_nanoseconds == 2 * SECOND + SECOND


def test_the_user_is_that_of_the_earliest_trace_that_names_one() -> None:
    sums = fold(
        WINDOW,
        [
            contribution(1, fact(9, user_id="later", user_key=1)),
            contribution(2, fact(1)),
            contribution(3, fact(5, user_id="earlier", user_key=1)),
        ],
    )
    assert sums is not None
    assert (sums.user_id, sums.user_ids) == ("earlier", ("earlier", "later"))


def test_the_first_input_is_how_that_of_the_earliest_trace_that_has_one_begins() -> None:
    sums = fold(
        WINDOW,
        [
            contribution(1, fact(9, input_preview="later")),
            contribution(2, fact(1)),
            contribution(3, fact(5, input_preview="ü" * 201)),
        ],
    )
    assert sums is not None
    assert sums.first_input == "ü" * 200


def test_a_withdrawn_contribution_adds_nothing() -> None:
    assert fold(WINDOW, [withdrawn(TraceKey("default", bytes(16)), WINDOW, 9)]) is None


@given(st.lists(traces(3), min_size=1, max_size=4))
def test_contributions_travel_unchanged(some: list[list[Fact]]) -> None:
    contributions = [contribution(number, *facts) for number, facts in enumerate(some, 1)]
    contributions.append(withdrawn(TraceKey("default", bytes(16)), WINDOW, 9))
    [message] = codec.encode(contributions)
    assert list(codec.decode(message)) == contributions


def test_many_contributions_travel_in_messages_below_the_limit() -> None:
    tags = tuple(f"tag {number} {'x' * 200}" for number in range(100))
    contributions = [contribution(number, call(1))._replace(tags=tags) for number in range(1, 200)]
    messages = list(codec.encode(contributions))
    assert len(messages) > 1
    assert max(map(len, messages)) < 1_000_000
    assert [some for message in messages for some in codec.decode(message)] == contributions


@given(traces(4))
def test_a_contribution_comes_back_from_its_row(facts: list[Fact]) -> None:
    key = TraceKey("default", bytes(15) + b"\x01")
    trace = fold_trace(key, facts)
    rows = trace_table([TraceRow(key, WINDOW, 7, trace)])
    assert contributions_of(read_back(rows)) == [contribution_of(trace, WINDOW, 7)]


def test_rows_that_take_something_away_are_marked_deleted() -> None:
    key = TraceKey("default", bytes(16))
    assert trace_table([TraceRow(key, WINDOW, 7, None)])["is_deleted"].to_pylist() == [1]
    assert window_table([WindowRow(WINDOW, 7, None)])["is_deleted"].to_pylist() == [1]


def test_empty_tables_have_their_columns() -> None:
    assert trace_table([]).num_rows == 0
    assert window_table([]).num_columns == len(window_table([]).schema)
