"""A session window's sums kept up to date contribution by contribution, for windows of many traces.

The same as the session fold of the whole set (`session_fold`), which it is tested against, at a cost that does not
grow with the window: sums move by differences, texts are counted, and the earliest and latest lie on heaps. What was
replaced stays on a heap until it comes to the top, or until half of the heap is such.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from heapq import heapify, heappop, heappush
from operator import add, attrgetter, sub
from typing import Any

from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.counters import MAX_COUNTER, NOTHING, Counters
from spanloom.spans.folding.session_fold import SessionWindow
from spanloom.spans.folding.trace.fold import MAX_LISTED, union

Contributions = Mapping[bytes, Contribution]
"""Contributions by trace ID."""

_SMALL = 64
"""Entries of a heap that are not worth looking for replaced ones."""


class RunningSession:
    """The sums of one window.

    Args:
        contributions: those to the window, withdrawn ones too: the caller's own mapping, which already holds what
            `replace` is told of.
    """

    def __init__(self, contributions: Contributions) -> None:
        self._contributions = contributions
        self._trace_count = 0
        self._active = 0
        self._counters: tuple[int, ...] = NOTHING
        self._texts = {name: _Counted() for name in _LISTS}
        self._users = _Counted()
        self._starts = _Least(_start)
        self._ends = _Least(_minus_end)
        self._named = _Least(_start_and_user)
        self._inputs = _Least(_start_and_trace)
        self._least = (self._starts, self._ends, self._named, self._inputs)
        for contribution in contributions.values():
            self.replace(None, contribution)

    def replace(self, old: Contribution | None, new: Contribution) -> None:
        """Take a contribution in the place of the one before; None where there was none."""
        if old is not None and not old.withdrawn:
            self._remove(old)
        if not new.withdrawn:
            self._add(new)
        for least in self._least:
            least.replace(old, new, self._contributions)

    def window(self, key: WindowKey) -> SessionWindow | None:
        """Return the sums; None where no trace is left in the window."""
        if not self._trace_count:
            return None
        of = self._contributions
        earliest, named, asked = (one.first(of) for one in (self._starts, self._named, self._inputs))
        latest = self._ends.first(of)
        assert earliest is not None
        assert latest is not None
        return SessionWindow(
            key=key,
            user_id=named.user_id if named else "",
            user_since=named.start_time if named else 0,
            user_ids=self._users.listed(),
            start_time=earliest.start_time,
            end_time=latest.start_time + latest.duration,
            active_nanoseconds=min(self._active, MAX_COUNTER),
            trace_count=self._trace_count,
            counters=Counters._make(min(value, MAX_COUNTER) for value in self._counters),
            first_input=asked.input_start if asked else "",
            **{name: texts.listed() for name, texts in self._texts.items()},
        )

    def _add(self, contribution: Contribution) -> None:
        self._trace_count += 1
        self._active += contribution.duration
        self._counters = tuple(map(add, self._counters, contribution.counters))
        for name, texts in self._texts.items():
            texts.add(getattr(contribution, name))
        self._users.add((contribution.user_id,))

    def _remove(self, contribution: Contribution) -> None:
        self._trace_count -= 1
        self._active -= contribution.duration
        self._counters = tuple(map(sub, self._counters, contribution.counters))
        for name, texts in self._texts.items():
            texts.remove(getattr(contribution, name))
        self._users.remove((contribution.user_id,))


_LISTS = ("models", "tags", "services", "environments", "releases")
"""Texts of contributions that the window lists under the same names."""


class _Counted:
    """Texts, each with how often it is there, and sorted."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._sorted: list[str] = []
        self._listed: tuple[str, ...] | None = ()

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            count = self._counts.get(text, 0)
            self._counts[text] = count + 1
            if not count:
                insort(self._sorted, text)
                self._listed = None

    def remove(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._counts[text] -= 1
            if not self._counts[text]:
                del self._counts[text]
                del self._sorted[bisect_left(self._sorted, text)]
                self._listed = None

    def listed(self) -> tuple[str, ...]:
        """What `union` gives of all of them: it looks at no more than these, and at the empty text."""
        if self._listed is None:
            self._listed = union(self._sorted[: MAX_LISTED + 2])
        return self._listed


class _Least:
    """The contribution with the least key of some kind.

    Args:
        key: returns the key of a contribution, which ends in what tells it from all others; None without one.
    """

    def __init__(self, key: Callable[[Contribution], Any]) -> None:
        self._key = key
        self._heap: list[tuple[Any, bytes]] = []

    def replace(self, old: Contribution | None, new: Contribution, contributions: Contributions) -> None:
        key = self._of(new)
        if key is None or (old is not None and key == self._of(old)):
            return
        heap = self._heap
        if len(heap) > 2 * len(contributions) + _SMALL:
            heap[:] = {entry for entry in heap if self._holds(entry, contributions)}
            heapify(heap)
        heappush(heap, (key, new.trace_id))

    def first(self, contributions: Contributions) -> Contribution | None:
        """Return the contribution of the least key; None where none has one."""
        heap = self._heap
        while heap and not self._holds(heap[0], contributions):
            heappop(heap)
        return contributions[heap[0][1]] if heap else None

    def _holds(self, entry: tuple[Any, bytes], contributions: Contributions) -> bool:
        """Whether it is still true of its trace."""
        return bool(self._of(contributions[entry[1]]) == entry[0])

    def _of(self, contribution: Contribution) -> Any:
        return None if contribution.withdrawn else self._key(contribution)


_start = attrgetter("start_time")


def _minus_end(contribution: Contribution) -> int:
    return -contribution.start_time - contribution.duration


def _start_and_user(contribution: Contribution) -> tuple[int, str] | None:
    return (contribution.start_time, contribution.user_id) if contribution.user_id else None


def _start_and_trace(contribution: Contribution) -> tuple[int, bytes] | None:
    return (contribution.start_time, contribution.trace_id) if contribution.input_start else None
