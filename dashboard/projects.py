"""Which projects somebody may see."""

from __future__ import annotations

from collections.abc import Iterable

ALL = "*"


def granted(names: Iterable[str]) -> frozenset[str] | None:
    """The projects of a list of grants; None, which is all, where `*` is among them."""
    projects = frozenset(names)
    return None if ALL in projects else projects


def split(text: str) -> list[str]:
    """The parts of a setting that are separated by commas."""
    return [part for part in map(str.strip, text.split(",")) if part]
