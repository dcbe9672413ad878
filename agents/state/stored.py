"""What ClickHouse has stored under a key that a keyed stage has forgotten or lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.facts import Fact, TraceKey


@dataclass(slots=True)
class StoredTrace:
    """A trace: its facts, the places where rows of it stand, the newest row's version, and the version up to which its
    spans were forgotten; 0 if none was."""

    key: TraceKey
    facts: list[Fact] = field(default_factory=list)
    places: list[WindowKey] = field(default_factory=list)
    version: int = 0
    forgotten: int = 0


class Database(NamedTuple):
    """Which database this is, and what is known of the table of a stage."""

    identity: str
    is_empty: bool
    expired_up_to: int = 0
    """Rows that changed last before this time, ms, may have been deleted by their age; 0 if none ever is."""


class WrittenRow(NamedTuple):
    """The newest row of some that were written together: whoever has it has all that were written before."""

    version: int
    key: Any


@dataclass(slots=True)
class StoredWindow:
    """A session window: the contributions of its traces, and its own row's version."""

    key: WindowKey
    contributions: list[Contribution] = field(default_factory=list)
    version: int = 0
