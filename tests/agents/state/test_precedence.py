"""What was stored before a convention was added, or moved, lands in the right session afterwards."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.stored import StoredTrace
from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.traces import TracePartition
from spanloom.spans.conventions.key_order import BUILT_IN, Identity, KeyOrder
from spanloom.spans.conventions.precedence.identity import SESSION_KEYS, NumberedKey
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.facts import Fact
from spanloom.spans.folding.trace.fold import fold
from tests.spans.examples import KEY, START, fact, traces

NOW = START // 1_000_000 + 1000
LANGFUSE = next(key for key in SESSION_KEYS if key.name == "langfuse.session.id")
OPENINFERENCE = next(key for key in SESSION_KEYS if key.name == "session.id")

ADDED = Identity(KeyOrder([NumberedKey(99, "acme.session"), *SESSION_KEYS]), BUILT_IN.users)
"""A version that knows one convention more, whose key precedes all others."""

MOVED = Identity(
    KeyOrder([OPENINFERENCE, *(key for key in SESSION_KEYS if key != OPENINFERENCE)]), BUILT_IN.users
)
"""A version in which an old key has another place."""

ROOT = fact(1, start_time=START + 10, session_id="A", session_key=LANGFUSE.number)
CHILD = fact(2, 1, start_time=START + 5, session_id="B", session_key=OPENINFERENCE.number)


def partition(identity: Identity) -> TracePartition:
    return TracePartition(window=3600, retention=3_600_000, began=0, identity=identity)


def apply(state: TracePartition, offset: int, *facts: Fact) -> TraceChanges:
    """One batch of one record."""
    state.apply([(KEY, facts)], facts_codec.encode_traces({KEY: facts}), NOW + offset, offset)
    return state.collect()


def restored(identity: Identity, *before: TraceChanges) -> TracePartition:
    """A worker that reads what others have left in the changelog."""
    state = partition(identity)
    for changes in before:
        for key, value in changes.changelog:
            state.restore(key, value)
    state.restored()
    return state


def live(*batches: TraceChanges) -> dict[WindowKey, Any]:
    """The rows of the trace after some batches: of each place the highest version."""
    rows: dict[WindowKey, Any] = {}
    for row in sorted((row for changes in batches for row in changes.rows), key=lambda row: row.version):
        rows[row.place] = row.trace
    return {place: trace for place, trace in rows.items() if trace is not None}


def sessions(*batches: TraceChanges) -> set[str]:
    """The sessions that the trace adds to after some batches."""
    latest: dict[WindowKey, Contribution] = {}
    for changes in batches:
        for each in changes.contributions:
            known = latest.get(each.window)
            if known is None or each.version > known.version:
                latest[each.window] = each
    return {window.session_id for window, each in latest.items() if not each.withdrawn}


def test_a_span_of_before_does_not_win_because_a_convention_was_added() -> None:
    before = apply(partition(BUILT_IN), 1, CHILD)
    after = apply(restored(ADDED, before), 2, ROOT)
    assert [place.session_id for place in live(before, after)] == ["A"]
    assert sessions(before, after) == {"A"}


def test_the_same_when_the_older_span_comes_back_from_clickhouse() -> None:
    before = apply(partition(BUILT_IN), 1, CHILD)
    state = partition(ADDED)
    state.adopt(StoredTrace(KEY, [CHILD], list(live(before)), before.rows[0].version))
    after = apply(state, 2, ROOT)
    assert [place.session_id for place in live(before, after)] == ["A"]
    assert sessions(before, after) == {"A"}


def test_the_key_of_the_added_convention_wins_over_what_was_stored() -> None:
    before = apply(partition(BUILT_IN), 1, CHILD, ROOT)
    after = apply(restored(ADDED, before), 2, fact(3, 1, session_id="C", session_key=99))
    assert sessions(before, after) == {"C"}


def test_a_trace_follows_a_key_that_was_moved_and_leaves_nothing_behind() -> None:
    before = apply(partition(BUILT_IN), 1, CHILD, ROOT)
    assert sessions(before) == {"A"}
    after = apply(restored(MOVED, before), 2, fact(3, 1))
    assert [place.session_id for place in live(before, after)] == ["B"]
    assert sessions(before, after) == {"B"}


def test_a_worker_of_the_version_before_reads_a_key_that_it_does_not_know() -> None:
    newer = apply(partition(ADDED), 1, CHILD, fact(3, 1, session_id="C", session_key=99))
    assert sessions(newer) == {"C"}
    older = apply(restored(BUILT_IN, newer), 2, fact(4, 1))
    assert sessions(newer, older) == {"B"}


ORDERS = st.permutations(SESSION_KEYS[:8]).map(lambda keys: Identity(KeyOrder(keys), KeyOrder(keys)))


@given(traces(), ORDERS)
def test_session_and_user_are_a_function_of_key_start_and_span_under_the_precedence(
    some: list[Fact], identity: Identity
) -> None:
    trace = fold(KEY, some, identity)
    named = [
        (identity.sessions.place(one.session_key), one.start_time, one.span_id, one.session_id)
        for one in some
        if one.session_key
    ]
    assert trace.session_id == min(named, default=(0, 0, 0, ""))[3]
    users = [
        (identity.users.place(one.user_key), one.start_time, one.span_id, one.user_id)
        for one in some
        if one.user_key
    ]
    assert trace.user_id == min(users, default=(0, 0, 0, ""))[3]


@given(traces(), st.lists(ORDERS, min_size=1, max_size=3), st.data())
def test_whatever_versions_ran_before_the_trace_stands_once_where_the_present_one_puts_it(
    some: list[Fact], identities: list[Identity], data: st.DataObject
) -> None:
    batches: list[TraceChanges] = []
    for number, identity in enumerate(identities):
        news = data.draw(st.lists(st.sampled_from(some), min_size=1, unique=True))
        # Sent again with a higher version, so that there is something to be written.
        news = [one._replace(version=2**61 + number, duration=number) for one in news]
        batches.append(apply(restored(identity, *batches), number + 1, *news))
    facts: dict[int, Fact] = {}
    for changes in batches:
        for key, value in changes.changelog:
            if value is not None and key != CLOCK_RECORD:
                [(_, found)] = facts_codec.decode(value)
                facts.update({one.span_id: one for one in found})
    expected = fold(KEY, list(facts.values()), identities[-1])
    assert list(live(*batches).values()) == [expected]
    assert {place.session_id for place in live(*batches)} == {expected.session_id}
    assert sessions(*batches) == {expected.session_id} - {""}
