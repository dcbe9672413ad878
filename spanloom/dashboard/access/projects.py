"""Which projects somebody may see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from fastapi import Request

ALL = "*"


def granted(names: Iterable[str]) -> frozenset[str] | None:
    """The projects of a list of grants; None, which is all, where `*` is among them."""
    projects = frozenset(names)
    return None if ALL in projects else projects


Visible = frozenset[str] | None
"""The projects visible to the caller; None is all."""

VisibleProjects = Callable[[Request], Awaitable[Visible]]
"""Returns what the sender of a request may see; raises what its app answers where it may see nothing at all."""


async def everything(_: Request) -> Visible:
    """All projects are visible: for loopback, where there is no login."""
    return None
