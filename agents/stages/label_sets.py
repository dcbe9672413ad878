"""Which label sets a metric may have, where names in them come from outside."""

from __future__ import annotations

from collections import Counter


class LabelSets:
    """The label sets of a metric: bounded, and shared out, so that one sender can't take the room of the others.

    Each one stays for the life of the process, and may be used by everybody once it is there.

    Args:
        most: label sets in all.
        share: how many of them one sender may add.
    """

    def __init__(self, most: int, share: int) -> None:
        self._most = most
        self._share = share
        self._known: set[tuple[str, ...]] = set()
        # A sender is remembered by its first label set, so there are never more senders than label sets.
        self._added: Counter[str] = Counter()

    def admits(self, labels: tuple[str, ...], sender: str) -> bool:
        """Return whether a label set may be used: it is there, or its sender may still add one. Then it is added."""
        if labels in self._known:
            return True
        if len(self._known) >= self._most or self._added[sender] >= self._share:
            return False
        self._known.add(labels)
        self._added[sender] += 1
        return True
