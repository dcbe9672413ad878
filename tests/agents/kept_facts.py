"""What a changelog of the traces stage holds of the spans themselves."""

from __future__ import annotations

from spanloom.agents.consuming.changelog import BEGINS_ANEW
from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.trace.last_forgotten import is_chunk
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.erasure import is_erasure
from spanloom.spans.folding.facts import Fact, TraceKey


def kept_facts(key: bytes | None, value: bytes | None) -> list[tuple[TraceKey, list[Fact]]]:
    """Return the facts in one record, by trace; none if it is no piece."""
    if key in (None, CLOCK_RECORD, BEGINS_ANEW) or value is None or is_chunk(key or b"") or is_erasure(value):
        return []
    return facts_codec.decode(value)
