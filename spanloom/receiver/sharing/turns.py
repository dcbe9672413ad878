"""Whose turn it is: projects that wait take turns, and each is first come, first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """What waits, by project."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}  # in the order of the projects' turns

    def __bool__(self) -> bool:
        return bool(self._lines)

    def waiting(self, project: str) -> int:
        """Return how much of a project waits."""
        return len(self._lines.get(project, ()))

    def add(self, project: str, item: T) -> None:
        """Let something wait behind all else of its project."""
        self._lines.setdefault(project, deque()).append(item)

    def remove(self, project: str, item: T) -> None:
        """Let something wait no longer; it may have had its turn already."""
        line = self._lines.get(project)
        if line is not None and item in line:
            line.remove(item)
            if not line:
                del self._lines[project]

    def take(self, fits: Callable[[str, T], bool] = lambda _project, _item: True) -> T | None:
        """Return what is next, None where nothing is; its project then comes after all others.

        Args:
            fits: whether something may go now. Where the first of a project may not, the rest of it waits behind.
        """
        for project, line in self._lines.items():
            if fits(project, line[0]):
                item = line.popleft()
                del self._lines[project]
                if line:
                    self._lines[project] = line
                return item
        return None
