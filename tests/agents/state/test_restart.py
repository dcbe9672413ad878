"""What a state knows after a restart: the versions that it has given, and what is still to be deleted."""

from __future__ import annotations

from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.stored import StoredTrace
from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.traces import TracePartition
from spanloom.spans.folding import facts as facts_codec
from tests.spans.examples import KEY, SECOND, START, fact

HOUR = 3_600_000
NOW = START // (SECOND // 1000) + 1000


def apply(state: TracePartition, span_id: int, timestamp: int, offset: int) -> TraceChanges:
    """One batch of one record with one span."""
    facts = [fact(span_id)]
    state.apply([(KEY, facts)], facts_codec.encode_traces({KEY: facts}), timestamp, offset)
    return state.collect()


def restarted(*before: TraceChanges) -> TracePartition:
    """The state that a changelog brings back."""
    state = TracePartition(window=3600, retention=HOUR, began=0)
    for changes in before:
        for key, value in changes.changelog:
            state.restore(key, value)
    state.restored()
    return state


def version_of(changes: TraceChanges) -> int:
    [version] = {row.version for row in changes.rows} | {one.version for one in changes.contributions}
    return version


def test_a_row_goes_on_above_its_version_while_the_clock_stands_still() -> None:
    # One record dated ahead stops the clock for a while; meanwhile the low bits of the offset begin again.
    first = apply(restarted(), 1, NOW + HOUR // 2, 2**16 - 1)
    second = apply(restarted(first), 2, NOW, 2**16)
    third = apply(restarted(first, second), 3, NOW, 2**16 + 1)
    assert version_of(first) < version_of(second) < version_of(third)


def test_a_row_goes_on_above_what_a_worker_left_that_came_further() -> None:
    state = restarted()
    state.clock.advance(NOW)
    ahead = (NOW + HOUR) << 22
    state.adopt(StoredTrace(KEY, [fact(1)], version=ahead))
    adopted = state.collect()
    assert version_of(adopted) > ahead
    assert version_of(apply(restarted(adopted), 2, NOW + 1, 7)) > version_of(adopted)


def test_what_is_forgotten_while_it_is_read_back_gets_its_tombstones() -> None:
    state = restarted()
    first = apply(state, 1, NOW, 1)
    state.apply([], b"", NOW + 2 * HOUR, 2)
    last = state.collect()
    tombstones = [record for record in last.changelog if record[1] is None]
    assert len(tombstones) == 1
    # A checkpoint that was cut off between the clock and the tombstones.
    cut = TraceChanges([record for record in last.changelog if record[1] is not None])
    again = restarted(first, cut)
    assert KEY not in again
    assert [record for record in again.collect().changelog if record[1] is None] == tombstones
    assert [key for key, _ in again.collect().changelog] == [CLOCK_RECORD]
