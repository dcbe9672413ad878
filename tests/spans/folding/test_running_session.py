"""A session's sums that are kept up to date are those of the fold of the whole set, whatever replaces what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.counters import MAX_COUNTER, Counters
from spanloom.spans.folding.running_session import RunningSession
from spanloom.spans.folding.session_fold import fold
from spanloom.spans.folding.trace.fold import MAX_LISTED, MAX_LISTED_CHARACTERS

WINDOW = WindowKey("default", "s", 1_795_000_000)

names = st.sampled_from(["", "a", "b", "ü", "x" * 9000, "y" * (MAX_LISTED_CHARACTERS + 1)])
lists = st.lists(names, max_size=3).map(tuple)
numbers = st.sampled_from([0, 1, 2, MAX_COUNTER])


@st.composite
def contributions(draw: st.DrawFn) -> Contribution:
    trace_id = bytes([draw(st.integers(0, 5))]) * 16
    if draw(st.integers(0, 3)) == 0:
        return Contribution(WINDOW, trace_id, 1, withdrawn=True)
    return Contribution(
        WINDOW,
        trace_id,
        1,
        withdrawn=False,
        start_time=draw(st.integers(0, 3)),
        duration=draw(st.integers(0, 3)),
        user_id=draw(st.sampled_from(["", "ada", "bob"])),
        counters=Counters._make([draw(numbers)] * len(Counters._fields)),
        models=draw(lists),
        tags=draw(lists),
        services=draw(lists),
        environments=draw(lists),
        releases=draw(lists),
        input_start=draw(st.sampled_from(["", "hello", "bye"])),
    )


@given(st.lists(contributions(), max_size=4), st.lists(contributions(), max_size=300))
def test_it_is_the_fold_of_the_whole_set_after_every_change(
    before: list[Contribution], changes: list[Contribution]
) -> None:
    held = {one.trace_id: one for one in before}
    running = RunningSession(held)
    assert running.window(WINDOW) == fold(WINDOW, held.values())
    for one in changes:
        old = held.get(one.trace_id)
        held[one.trace_id] = one
        running.replace(old, one)
        assert running.window(WINDOW) == fold(WINDOW, held.values())


def test_more_texts_than_are_listed_come_and_go() -> None:
    held: dict[bytes, Contribution] = {}
    running = RunningSession(held)
    for number in [*range(2 * MAX_LISTED), *range(MAX_LISTED)]:
        again = number.to_bytes(16) in held
        one = Contribution(
            WINDOW,
            number.to_bytes(16),
            1 + again,
            withdrawn=again,
            user_id=f"{number:05}",
            tags=(f"{number % 1500}",),
        )
        old = held.get(one.trace_id)
        held[one.trace_id] = one
        running.replace(old, one)
        if number % 100 == 0:
            assert running.window(WINDOW) == fold(WINDOW, held.values())
    assert running.window(WINDOW) == fold(WINDOW, held.values())


def test_what_is_replaced_often_does_not_pile_up() -> None:
    held: dict[bytes, Contribution] = {}
    running = RunningSession(held)
    for number in range(10_000):
        one = Contribution(
            WINDOW, bytes([number % 10]) * 16, number, withdrawn=False, start_time=number, duration=1
        )
        old = held.get(one.trace_id)
        held[one.trace_id] = one
        running.replace(old, one)
    assert max(len(least._heap) for least in running._least) < 200
    assert running.window(WINDOW) == fold(WINDOW, held.values())
