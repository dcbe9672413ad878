"""The rate limit: how fast a project may send; the clock is the test's."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from spanloom.receiver.rate_limit import BURST, LEAST_BYTES, RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_rate_everything_passes() -> None:
    limit = RateLimit(0)
    assert not any(limit.take("shop", 2**40) for _ in range(100))


def test_a_burst_passes_and_then_the_rate_a_second() -> None:
    clock = Clock()
    limit = RateLimit(100_000, clock)
    burst = int(100_000 * BURST)
    assert limit.take("shop", burst) == 0
    assert limit.take("shop", 2000) > 0
    clock.now += 1
    assert limit.take("shop", 100_000) == 0
    assert limit.take("shop", 2000) > 0


def test_a_project_does_not_use_up_the_rate_of_another() -> None:
    limit = RateLimit(1000, Clock())
    assert limit.take("shop", 10**9) == 0
    assert limit.take("shop", 1) > 0
    assert limit.take("bank", 1) == 0


def test_a_request_larger_than_the_burst_passes_and_counts_whole() -> None:
    clock = Clock()
    limit = RateLimit(1000, clock)
    assert limit.take("shop", 30_000) == 0
    wait = limit.take("shop", 1)
    assert wait == 20
    clock.now += wait + 1
    assert limit.take("shop", 1) == 0


def test_small_requests_count_as_a_kilobyte() -> None:
    limit = RateLimit(LEAST_BYTES, Clock())
    passed = sum(1 for _ in itertools.takewhile(lambda _: limit.take("shop", 1) == 0, range(1000)))
    assert passed == BURST


@given(
    st.lists(st.tuples(st.integers(0, 50_000), st.floats(0, 5)), max_size=100),
    st.integers(1, 10_000),
)
def test_never_more_than_the_burst_the_rate_and_one_message(
    requests: list[tuple[int, float]], rate: int
) -> None:
    clock = Clock()
    limit = RateLimit(rate, clock)
    began, passed, largest = clock.now, 0, 0
    for size, pause in requests:
        clock.now += pause
        counted = max(size, LEAST_BYTES)
        if limit.take("shop", size) == 0:
            passed += counted
            largest = max(largest, counted)
    assert passed <= rate * (BURST + clock.now - began) * 1.000001 + largest


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_a_project_that_waits_as_long_as_asked_gets_through(size: int, rate: int) -> None:
    clock = Clock()
    limit = RateLimit(rate, clock)
    limit.take("shop", size)
    if wait := limit.take("shop", 1):
        clock.now += wait * 1.000001 + 0.001
        assert limit.take("shop", 1) == 0
