"""Which of several keys decides on the session or the user of a trace, looked up when a trace is folded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from spanloom.spans.conventions.precedence.identity import SESSION_KEYS, USER_KEYS, NumberedKey

_BEHIND = 2**16
"""Places from here on are those of unknown keys; numbers are below."""


class KeyOrder:
    """The order of numbered keys, the best first.

    Raises ValueError where a number stands for two keys, or for none.
    """

    def __init__(self, keys: Sequence[NumberedKey]) -> None:
        self._places = {key.number: place for place, key in enumerate(keys)}
        if len(self._places) < len(keys) or not all(0 < number < _BEHIND for number in self._places):
            raise ValueError("each key needs a number of its own, from 1 to 65,535")

    def place(self, number: int) -> int:
        """Return where a key stands: of two keys the one with the smaller place counts.

        Keys that are not known here (a newer version or another configuration stored them) come last, by number.
        """
        place = self._places.get(number)
        return _BEHIND + number if place is None else place


class Identity(NamedTuple):
    """The precedence by which a trace finds its session and its user."""

    sessions: KeyOrder
    users: KeyOrder


BUILT_IN = Identity(KeyOrder(SESSION_KEYS), KeyOrder(USER_KEYS))
"""The precedence of `docs/conventions.md`."""
