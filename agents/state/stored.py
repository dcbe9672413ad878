"""What ClickHouse has stored under a key that a keyed stage has forgotten or lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

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
    """Which database this is, and the highest version of a row in the table of a stage."""

    identity: str
    newest: int


@dataclass(slots=True)
class StoredWindow:
    """A session window: the contributions of its traces, and its own row's version."""

    key: WindowKey
    contributions: list[Contribution] = field(default_factory=list)
    version: int = 0
