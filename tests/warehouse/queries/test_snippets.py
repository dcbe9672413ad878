"""The text around hits: the right characters are marked, whatever case and accents they have."""

from __future__ import annotations

from typing import Literal
from unicodedata import normalize

import pytest

from spanloom.warehouse.queries.snippets import AROUND, MOST_SNIPPETS, snippets


def marked(text: str, wanted: str) -> list[str]:
    """What the ranges of all snippets mark."""
    found = snippets("input", text, wanted)
    return [cut.text[start:end] for cut in found for start, end in cut.ranges]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("wanted", ["Zürich", "ZÜRICH", "zürich"])
def test_accents_are_found_however_they_are_composed(form: Literal["NFC", "NFD"], wanted: str) -> None:
    assert marked("Café in Zürich, naïve", normalize(form, wanted)) == ["Zürich"]


def test_letters_that_grow_in_lower_case_shift_nothing() -> None:
    assert marked("İİİ then Word", "word") == ["Word"]


def test_hits_close_together_share_a_snippet_and_far_ones_do_not() -> None:
    gap = "-" * (2 * AROUND + 1)
    [near] = snippets("input", "hit, hit", "hit")
    assert near.ranges == [(0, 3), (5, 8)]
    assert (near.cut_before, near.cut_after) == (False, False)
    far = snippets("input", gap.join(["hit"] * (MOST_SNIPPETS + 1)), "hit")
    assert len(far) == MOST_SNIPPETS
    assert [(cut.cut_before, cut.cut_after) for cut in far] == [(False, True)] + [(True, True)] * 2


def test_nothing_looked_for_is_nowhere() -> None:
    assert snippets("input", "some text", "") == []
