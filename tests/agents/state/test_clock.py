from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.state.clock import (
    CLOCK_SKEW,
    StreamClock,
    record_version,
    timestamp_of,
    version_above,
)

HOUR = 3_600_000


records = st.tuples(st.integers(0, 2**41) | st.integers(5, 7), st.integers(0, 2**40) | st.integers(0, 2**17))


@given(st.lists(records, min_size=1), st.data())
def test_versions_only_grow_over_restarts_too(log: list[tuple[int, int]], data: st.DataObject) -> None:
    clock, version = StreamClock(), 0
    for timestamp, offset in log:
        if data.draw(st.booleans()):
            kept, clock = clock.to_message(), StreamClock()
            clock.restore(kept)
        following = clock.apply(timestamp, offset)
        assert following > version
        version = following


def test_a_version_is_the_timestamp_and_the_low_bits_of_the_offset() -> None:
    assert record_version(5, 7) == 5 << 22 | 7 << 6
    assert record_version(5, 2**16 + 7) == 5 << 22 | 7 << 6
    assert timestamp_of(record_version(5, 7)) == 5


def test_an_older_timestamp_does_not_turn_a_version_back() -> None:
    clock = StreamClock()
    clock.apply(9, 1)
    assert clock.apply(5, 2) == record_version(9, 2)


def test_a_topic_that_is_created_anew_goes_on_above_its_old_versions() -> None:
    clock = StreamClock()
    assert clock.apply(5, 60_000) < clock.apply(6, 0)


def test_a_clock_that_stands_still_while_the_bits_of_the_offset_begin_again() -> None:
    clock = StreamClock()
    clock.apply(9, 2**16 - 1)
    assert clock.apply(7, 2**16) == record_version(10, 0)
    assert clock.apply(7, 2**16 + 1) == record_version(10, 1)
    assert clock.apply(11, 2**16 + 2) == record_version(11, 2)


@pytest.mark.parametrize(
    ("start", "surely"),
    [
        (100 * HOUR, True),
        (100 * HOUR + CLOCK_SKEW, True),
        (100 * HOUR + CLOCK_SKEW + 1, False),  # a wrong clock, from which nothing can be concluded
        (99 * HOUR + CLOCK_SKEW, True),
        (99 * HOUR + CLOCK_SKEW - 1, False),  # may have been forgotten
    ],
)
def test_what_is_remembered_for_sure(start: int, surely: bool) -> None:
    clock = StreamClock(now=100 * HOUR, kept_since=1)
    assert clock.surely_remembers("p", start, HOUR) is surely


def test_what_started_before_the_state_was_kept_is_not_remembered_for_sure() -> None:
    clock = StreamClock(kept_since=100 * HOUR)
    clock.advance(101 * HOUR)
    assert clock.surely_remembers("p", 100 * HOUR + CLOCK_SKEW, HOUR)
    assert not clock.surely_remembers("p", 100 * HOUR + CLOCK_SKEW - 1, HOUR)


def test_a_clock_comes_back_from_the_changelog() -> None:
    clock = StreamClock(kept_since=5)
    clock.advance(6)
    clock.advance(9)
    clock.advance(7)
    version = clock.apply(8, 3)
    restored = StreamClock(kept_since=1000)
    restored.restore(clock.to_message())
    assert restored == StreamClock(now=9, applied=9, kept_since=5, version=version)


def test_what_is_completed_from_clickhouse_stays_below_what_a_later_record_changes() -> None:
    version = record_version(5, 7)
    for _ in range(60):
        assert version < (version := version_above(0, version)) < record_version(5, 8)
