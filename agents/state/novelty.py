"""What is known of a key that a partition does not hold."""

from __future__ import annotations

from enum import Enum, auto


class Novelty(Enum):
    """What is known of a key that a partition does not hold."""

    NEW = auto()
    """It certainly was never stored anywhere."""
    NEW_WITHOUT_ROW = auto()
    """If it has no row in ClickHouse it is new: every batch of a keyed stage writes rows."""
    OLD = auto()
    """Its state may have been forgotten or lost."""
