"""The text around hits, for people to see why something matches. Pure functions."""

from __future__ import annotations

from unicodedata import normalize

from spanloom.warehouse.queries.answers import Snippet

AROUND = 80
"""Characters shown before and after a hit."""

MOST_SNIPPETS = 3
"""Snippets of one field."""


def snippets(
    field: str, text: str, wanted: str, cut_before: bool = False, cut_after: bool = False
) -> list[Snippet]:
    """Cut the text around each hit; hits that stand close together share a snippet.

    Args:
        text: with accents composed (NFC).
        wanted: what is looked for, in any case, accents composed or apart; nothing where it is empty.
        cut_before, cut_after: whether `text` itself has been cut out of a longer one.
    """
    found = _hits(text, wanted)
    groups: list[list[tuple[int, int]]] = []
    for hit in found:
        if groups and hit[0] - groups[-1][-1][1] <= 2 * AROUND:
            groups[-1].append(hit)
        elif len(groups) < MOST_SNIPPETS:
            groups.append([hit])
        else:
            break
    cut = []
    for group in groups:
        start, end = max(0, group[0][0] - AROUND), min(len(text), group[-1][1] + AROUND)
        cut.append(
            Snippet(
                field=field,
                text=text[start:end],
                ranges=[(left - start, right - start) for left, right in group],
                cut_before=start > 0 or cut_before,
                cut_after=end < len(text) or cut_after,
            )
        )
    return cut


def _hits(text: str, wanted: str) -> list[tuple[int, int]]:
    """Start and end of each hit, from left to right, without overlaps."""
    if not wanted:
        return []
    small, place = _lowered(text)
    sought, _ = _lowered(normalize("NFC", wanted))
    found = []
    at = small.find(sought)
    while at >= 0:
        end = at + len(sought)
        found.append((place[at], place[end - 1] + 1))
        at = small.find(sought, end)
    return found


def _lowered(text: str) -> tuple[str, list[int]]:
    """The text in lower case, and where each of its characters stood: some become two (İ)."""
    small: list[str] = []
    place: list[int] = []
    for number, character in enumerate(text):
        lower = character.lower()
        small.append(lower)
        place.extend([number] * len(lower))
    return "".join(small), place
