"""Projects that wait take turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.receiver.sharing.turns import Turns


def test_a_project_with_one_item_waits_for_one_of_the_others() -> None:
    turns: Turns[str] = Turns()
    for number in range(3):
        turns.add("greedy", f"greedy {number}")
    turns.add("modest", "modest")
    assert [turns.take() for _ in range(5)] == ["greedy 0", "modest", "greedy 1", "greedy 2", None]


def test_who_does_not_fit_holds_up_nobody_else() -> None:
    turns: Turns[int] = Turns()
    turns.add("large", 9)
    turns.add("large", 1)
    turns.add("small", 2)
    assert turns.take(lambda _, item: item < 5) == 2
    assert turns.take(lambda _, item: item < 5) is None, "first come, first served within a project"
    assert turns.take() == 9


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_all_come_in_their_order_and_no_project_twice_before_another_that_waits(
    added: list[tuple[str, int]],
) -> None:
    turns: Turns[tuple[str, int]] = Turns()
    for project, number in added:
        turns.add(project, (project, number))
    taken = []
    while (item := turns.take()) is not None:
        taken.append(item)
        behind = {project for project, _ in taken[-2:-1]} & {item[0]}
        assert not behind or not any(turns.waiting(project) for project in "abc" if project != item[0])
    for project in "abc":
        assert [one for one in taken if one[0] == project] == [one for one in added if one[0] == project]


def test_who_goes_away_is_forgotten() -> None:
    turns: Turns[int] = Turns()
    turns.add("a", 1)
    turns.remove("a", 1)
    turns.remove("a", 1)
    assert not turns
    assert turns.take() is None
