"""What projects share: whoever comes finds room, whatever the others do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.receiver.sharing.shares import SHARE, Shares

CAPACITY = 1000

steps = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 300), st.booleans()), max_size=80)


def held(done: list[tuple[str, int, bool]]) -> tuple[Shares, dict[str, list[int]]]:
    """Shares after some were taken and given back, and what each project then has."""
    shares = Shares(CAPACITY)
    has: dict[str, list[int]] = {}
    for project, amount, takes in done:
        if takes and shares.take(project, amount):
            has.setdefault(project, []).append(amount)
        elif not takes and has.get(project):
            shares.give_back(project, has[project].pop())
    return shares, has


@given(steps)
def test_never_more_is_taken_than_there_is(done: list[tuple[str, int, bool]]) -> None:
    shares, has = held(done)
    assert shares.taken == sum(map(sum, has.values())) <= CAPACITY


@given(steps)
def test_a_project_that_has_nothing_finds_room_whatever_five_others_have(
    done: list[tuple[str, int, bool]],
) -> None:
    shares, has = held(done)
    others = sum(map(bool, has.values()))
    free = CAPACITY / (1 + SHARE) ** others  # each leaves a quarter of what it found at least
    assert CAPACITY - shares.taken >= free
    assert shares.take("new", int(free * SHARE / (1 + SHARE)))


@given(st.lists(st.integers(1, 50)))
def test_one_greedy_project_gets_three_quarters(amounts: list[int]) -> None:
    shares = Shares(CAPACITY)
    for amount in [*amounts, *[1] * CAPACITY]:
        shares.take("greedy", amount)
    assert shares.taken == CAPACITY * 3 // 4


def test_a_single_project_may_have_everything() -> None:
    shares = Shares(CAPACITY)
    assert shares.take("only", CAPACITY, shared=False)
    assert not shares.take("only", 1, shared=False)
    shares.give_back("only", CAPACITY)
    assert shares.taken == 0
