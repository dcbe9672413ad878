"""Which projects there are to choose from, asked for seldom: finding out reads every trace's project."""

from __future__ import annotations

import time
from collections.abc import Callable

from spanloom.dashboard.access.projects import Visible
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.overview.facets import projects

KEPT = 60.0
"""Seconds for which an answer is good; an empty one is not kept."""


class KnownProjects:
    """The projects that have data, at most a minute old.

    Args:
        clock: seconds, only ever growing.
    """

    def __init__(self, warehouse: Warehouse, clock: Callable[[], float] = time.monotonic) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._known: tuple[str, ...] = ()
        self._asked = 0.0

    async def of(self, sees: Visible) -> tuple[str, ...]:
        """Those of them that somebody may see, sorted. Raises what `ask` raises."""
        if not self._known or self._clock() - self._asked > KEPT:
            self._known, self._asked = tuple(await projects(self._warehouse)), self._clock()
        return self._known if sees is None else tuple(name for name in self._known if name in sees)

    async def any_data(self, sees: Visible) -> bool:
        """Whether there is anything that somebody may see."""
        return bool(await self.of(sees))
