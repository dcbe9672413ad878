"""Where a trace may stand by a part of its facts."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.state.trace.fact_set import FactSet
from spanloom.agents.state.trace.places import may_stand_elsewhere, possible_places
from spanloom.spans.conventions.key_order import BUILT_IN
from spanloom.spans.conventions.precedence.identity import NO_KEY, SESSION_KEYS
from spanloom.spans.folding.contribution import WindowKey, window_start
from spanloom.spans.folding.facts import Fact
from spanloom.spans.table import NO_START
from tests.spans.examples import START, fact

WINDOW = 3600
KEYS = [key.number for key in SESSION_KEYS]
HOUR = WINDOW * 1_000_000_000


def facts_of(*facts: Fact) -> FactSet:
    held = FactSet(BUILT_IN.sessions)
    held.add(facts)
    return held


def test_a_span_without_a_start_does_not_say_where_its_trace_stands() -> None:
    without = fact(2, 1, start_time=START - HOUR, marks=NO_START)
    for facts in itertools.permutations([fact(1), fact(3, 1), without]):
        held = facts_of(*facts)
        assert held.start_time == fact(1).start_time
        assert held.earliest == without.start_time
    assert facts_of(without).start_time == without.start_time
    held = facts_of(without, fact(1))
    places = {each.window_start for each in possible_places("p", held, WINDOW)}
    assert places == {window_start(START, WINDOW), window_start(START - HOUR, WINDOW)}


def place(held: FactSet) -> WindowKey:
    assert held.start_time is not None
    return WindowKey("p", held.session_id, window_start(held.start_time, WINDOW))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "s", "t"]),
            st.sampled_from(KEYS),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_wherever_some_of_the_facts_would_stand_is_among_them(drawn: list[tuple[str, int, int]]) -> None:
    facts = [
        fact(
            number,
            start_time=START + hours * HOUR,
            session_id=session,
            session_key=key if session else NO_KEY,
        )
        for number, (session, key, hours) in enumerate(drawn, 1)
    ]
    held = facts_of(*facts)
    stands = {
        place(facts_of(*some))
        for count in range(1, len(facts) + 1)
        for some in itertools.combinations(facts, count)
    }
    assert stands <= possible_places("p", held, WINDOW)
    if not may_stand_elsewhere(held, WINDOW):
        assert stands <= {place(held), *(where._replace(session_id="") for where in stands)}


def test_spans_that_name_many_sessions_and_windows_do_not_make_all_pairs_of_them() -> None:
    facts = [
        fact(number, start_time=START + number * HOUR, session_id=f"s{number}", session_key=KEYS[0])
        for number in range(1, 301)
    ]
    assert len(possible_places("p", facts_of(*facts), WINDOW)) < 1000
