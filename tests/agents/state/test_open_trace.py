"""Traces that had no news for a while are kept packed, and are the same when a late span unpacks them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.trace.open_trace import OpenTrace
from spanloom.agents.state.traces import TracePartition
from spanloom.spans.conventions.key_order import BUILT_IN
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import Contribution
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.rows import TraceRow
from spanloom.spans.folding.trace.fold import fold
from tests.spans.examples import KEY, START, call, fact, traces

HOUR = 3_600_000
NOW = START // 1_000_000
OTHER = TraceKey("other", KEY.trace_id)


def partition(most_unpacked: int) -> TracePartition:
    return TracePartition(3600, HOUR, NOW - 24 * HOUR, most_unpacked=most_unpacked)


def send(state: TracePartition, offset: int, some: dict[TraceKey, list[Fact]]) -> TraceChanges:
    state.apply(list(some.items()), facts_codec.encode_traces(some), NOW + offset, offset)
    return state.collect()


def is_packed(state: TracePartition, key: TraceKey) -> bool:
    return state._open[key].unpacked is None


def parts(state: TracePartition, key: TraceKey) -> list[bytes]:
    return state._open[key].parts


@given(
    st.lists(st.tuples(st.integers(0, 3), traces(4)), min_size=1, max_size=12),
    st.integers(0, 3),
)
def test_packing_changes_no_row(some: list[tuple[int, list[Fact]]], most_unpacked: int) -> None:
    keys = [TraceKey("default", bytes([number]) * 16) for number in range(4)]
    packing, plain = partition(most_unpacked), partition(1000)
    for offset, (number, facts) in enumerate(some):
        versioned = [one._replace(version=offset) for one in facts]
        batch = {keys[number]: versioned, keys[(number + 1) % 4]: versioned}
        ours, theirs = send(packing, offset, batch), send(plain, offset, batch)
        assert shown(ours) == shown(theirs)


def shown(changes: TraceChanges) -> tuple[list[TraceRow], list[Contribution]]:
    """What does not take a trace away from where it may have stood by a fact that was replaced since."""
    rows = [row for row in changes.rows if row.trace is not None]
    return rows, [one for one in changes.contributions if not one.withdrawn]


def test_those_that_had_news_last_stay_unpacked() -> None:
    state = partition(1)
    send(state, 1, {KEY: [fact(1)], OTHER: [fact(1)]})
    assert [is_packed(state, KEY), is_packed(state, OTHER)] == [True, False]
    send(state, 2, {KEY: [fact(2)]})
    assert [is_packed(state, KEY), is_packed(state, OTHER)] == [False, True]


def test_a_packed_trace_is_the_message_in_which_it_came() -> None:
    state = partition(0)
    some = {KEY: [fact(1), call(2, 1)], OTHER: [fact(1)]}
    message = facts_codec.encode_traces(some)
    state.apply(list(some.items()), message, NOW, 1)
    state.collect()
    assert parts(state, KEY)[0] is message
    assert parts(state, OTHER)[0] is message


def test_one_that_goes_on_again_and_again_gets_a_part_of_its_own() -> None:
    state = partition(0)
    for number in range(1, 40):
        send(state, number, {KEY: [fact(number)], OTHER: [call(number)]})
        assert len(parts(state, KEY)) <= 5
    assert {key for part in parts(state, KEY) for key, _ in facts_codec.traces_in(part)} == {KEY}


def test_one_that_is_worked_on_keeps_few_messages_of_others() -> None:
    state = partition(1000)
    for number in range(1, 40):
        send(state, number, {KEY: [fact(number)], OTHER: [call(number)]})
        assert len(parts(state, KEY)) <= 4


def test_what_is_read_back_is_unpacked_when_it_goes_on() -> None:
    before = partition(1000)
    batches = [send(before, n, {KEY: [fact(n)], OTHER: [call(n)]}) for n in range(1, 9)]
    changelog = [record for changes in batches for record in changes.changelog]
    state = partition(1000)
    for key, value in [*changelog, *changelog]:
        state.restore(key, value)
    state.restored()
    assert is_packed(state, KEY)
    (row,) = send(state, 9, {KEY: [fact(9)]}).rows
    assert row.trace == fold(KEY, [fact(n) for n in range(1, 10)])
    assert is_packed(state, OTHER)
    assert before._pieces._uses.items() <= state._pieces._uses.items()


def test_facts_are_those_of_all_parts() -> None:
    trace = OpenTrace()
    for number in range(1, 10):
        trace.keep(facts_codec.encode_traces({OTHER: [fact(number)], KEY: [call(number)]}))
    assert list(trace.unpack(KEY, BUILT_IN.sessions).facts.values()) == [call(n) for n in range(1, 10)]
    trace.pack(KEY)
    assert len(trace.parts) == 1
    assert list(trace.unpack(KEY, BUILT_IN.sessions).facts.values()) == [call(n) for n in range(1, 10)]
