"""What a batch changed of the traces of a partition."""

from __future__ import annotations

from dataclasses import dataclass, field

from spanloom.agents.state.entry import Changes
from spanloom.agents.state.stored import WrittenRow
from spanloom.agents.state.trace.open_trace import OpenTrace
from spanloom.spans.conventions.key_order import Identity
from spanloom.spans.folding.contribution import Contribution, contribution_of, withdrawn
from spanloom.spans.folding.erasure import ForgottenSpan
from spanloom.spans.folding.facts import TraceKey
from spanloom.spans.folding.rows import TraceRow
from spanloom.spans.folding.trace.fold import fold


@dataclass(slots=True)
class TraceChanges(Changes):
    """What a batch changed: rows, contributions, forgotten spans, and records of the changelog."""

    rows: list[TraceRow] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    forgotten: list[ForgottenSpan] = field(default_factory=list)

    @property
    def newest(self) -> WrittenRow | None:
        """The row of the highest version."""
        return max((WrittenRow(row.version, row.key) for row in self.rows), default=None)

    def add(self, key: TraceKey, trace: OpenTrace, identity: Identity) -> None:
        """Add the row and the contribution of a trace where it stands, if it has spans, and take them away from all
        other places where it stood."""
        held = trace.held
        if held.place is not None:
            folded = fold(key, held.facts.values(), identity)
            self.rows.append(TraceRow(key, held.place, trace.version, folded))
            if held.place.session_id:
                self.contributions.append(contribution_of(folded, held.place, trace.version))
        for place in held.left - {held.place}:
            self.rows.append(TraceRow(key, place, trace.version, None))
            if place.session_id:
                self.contributions.append(withdrawn(key, place, trace.version))
