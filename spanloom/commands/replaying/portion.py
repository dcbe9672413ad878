"""What a replay sends at once, wherever it is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spanloom.spans.reading.stored.messages import StoredMessage


@dataclass(frozen=True, slots=True)
class Portion:
    """Messages that are sent together, and where the replay stands once they are acknowledged."""

    messages: Sequence[StoredMessage]
    done: int
    """How many traces, or files, are whole with it."""
    after: Sequence[str] | None
    """What names the last of them, or of those left out, to go on behind it; None where none is."""
    left_out: int = 0
    """How many traces up to that one are left out: they count more spans than are stored."""
    forgotten: int = 0
    """How many spans of an archive are left out: their traces were forgotten on request."""
