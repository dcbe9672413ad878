"""An open trace: its facts as they travelled, and unpacked while it is worked on.

Most open traces are complete and only wait to be forgotten. Unpacked a span takes 3 kB of memory, as it travelled,
packed together with others, a tenth of that. So the facts of a trace that had no news for a while are its *parts*:
messages of facts as they came, which other traces may share. They are unpacked again for a span that comes late.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from spanloom.agents.state.trace.fact_set import FactSet, Stood
from spanloom.spans.conventions.key_order import KeyOrder
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.facts import TraceKey

_PARTS = 4
"""Parts that others may share which a trace keeps while it is worked on. One with more, or one that is unpacked again
and again, gets a part of its own: to unpack a part takes as long as it is, whichever trace of it is wanted, and it
stays as long as any trace of it is open."""


@dataclass(slots=True)
class OpenTrace:
    """One trace.

    `version` is that of its row, `last_news` the stream clock when a record last named it, `latest_start` the latest
    start of its spans (ns), `pieces` the changelog keys of what it is made of. `unpacked` are its facts while it is
    worked on, `replaced` what of them was replaced, `parts` the messages they are in; `in_parts` is whether all of them
    are, `shared` whether parts may hold other traces, and `again` whether it has been unpacked before.
    """

    version: int = 0
    last_news: int = 0
    found_again: bool = False
    latest_start: int = 0
    pieces: list[bytes] = field(default_factory=list)
    unpacked: FactSet | None = None
    parts: list[bytes] = field(default_factory=list)
    in_parts: bool = True
    shared: bool = False
    again: bool = False
    replaced: Collection[Stood] = ()

    @property
    def held(self) -> FactSet:
        """Its facts, which must be unpacked."""
        assert self.unpacked is not None
        return self.unpacked

    def keep(self, part: bytes) -> None:
        """Note a message that holds facts of it."""
        if self.unpacked is not None and len(self.parts) >= _PARTS:
            self.parts, self.in_parts = [], False
        if self.in_parts:
            self.parts.append(part)
            self.shared = True

    def unpack(self, key: TraceKey, order: KeyOrder, forgotten: int = -1) -> FactSet:
        """Unpack its facts but those whose version is not above `forgotten`."""
        self.unpacked = self.read(key, order, forgotten)
        return self.unpacked

    def read(self, key: TraceKey, order: KeyOrder, forgotten: int = -1) -> FactSet:
        """Return its facts but those whose version is not above `forgotten`, and leave them packed if they are."""
        if self.unpacked is not None:
            return self.unpacked
        facts = FactSet(order)
        facts.remember(self.replaced)
        for part in self.parts:
            facts.add(fact for fact in facts_codec.decode_one(part, key) if fact.version > forgotten)
        facts.changes = 0
        return facts

    def pack(self, key: TraceKey) -> None:
        """Keep its facts packed only."""
        if not self.held.facts:
            self.parts, self.in_parts, self.shared = [], True, False
        elif not self.in_parts or len(self.parts) > _PARTS or (self.again and self.shared):
            self.parts = facts_codec.encode_trace(key, list(self.held.facts.values()))
            self.in_parts, self.shared = True, False
        self.replaced = tuple(self.held.replaced)
        self.unpacked = None
        self.again = True
