"""Label sets are bounded in all and for each sender, whatever comes in which order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.stages.label_sets import LabelSets


def test_a_sender_adds_its_share_and_uses_what_is_there() -> None:
    some = LabelSets(most=4, share=2)
    assert [some.admits((name,), "a") for name in "1213"] == [True, True, True, False]
    assert [some.admits((name,), "b") for name in "1345"] == [True, True, True, False]
    assert some.admits(("3",), "a")
    assert not some.admits(("6",), "c")  # a new sender, but no room


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"))))
def test_the_bounds_hold_and_an_admitted_one_stays(wanted: list[tuple[int, str]]) -> None:
    some = LabelSets(most=10, share=4)
    added_by: dict[int, str] = {}
    for number, sender in wanted:
        if some.admits((str(number),), sender):
            added_by.setdefault(number, sender)
        else:
            assert number not in added_by
            assert len(added_by) == 10 or Counter(added_by.values())[sender] == 4
    assert len(added_by) <= 10
    assert max(Counter(added_by.values()).values(), default=0) <= 4
