"""How what projects share is divided: nobody is refused because somebody else has taken everything."""

from __future__ import annotations

SHARE = 3
"""A project may hold this many times what it leaves free: alone three quarters, two greedy ones three sevenths each."""


class Shares:
    """Something there is a fixed amount of (request slots, bytes), and what each project holds of it.

    Each project leaves a quarter of what it finds free at least, so whoever comes finds room. Of `k` projects that take
    whatever they get, and give back what is done, each holds `SHARE / (1 + k * SHARE)` in the end. Nothing is set aside
    for projects that are not there. (Dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2),
    1998.)

    Args:
        capacity: the amount.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: dict[str, int] = {}
        self.taken = 0

    def take(self, project: str, amount: int, *, shared: bool = True) -> bool:
        """Take an amount for a project, if it may have it; returns whether it does.

        Args:
            project: whose.
            amount: 0 or more.
            shared: whether there is another project that something must be left to.
        """
        free = self._capacity - self.taken - amount
        if free < 0 or (shared and self._held.get(project, 0) + amount > SHARE * free):
            return False
        self.taken += amount
        self._held[project] = self._held.get(project, 0) + amount
        return True

    def give_back(self, project: str, amount: int) -> None:
        """Give back what was taken."""
        self.taken -= amount
        left = self._held.pop(project, 0) - amount
        if left:
            self._held[project] = left
