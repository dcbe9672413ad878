"""The set of a trace's facts, and what follows from it at every record: where the trace stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from spanloom.spans.conventions.key_order import KeyOrder
from spanloom.spans.folding.contribution import WindowKey
from spanloom.spans.folding.facts import Fact
from spanloom.spans.table import NO_START

_MOST_REPLACED = 256
"""Replaced facts that are remembered: who sends a span in more places than that wants to hurt."""

Stood = tuple[int, str]
"""Where a fact has its trace stand: the start (ns), and the session that it names, '' if it names none."""


@dataclass(slots=True)
class FactSet:
    """Facts by span ID; of two with one span ID the higher version wins.

    `start_time` is when the trace begins, as its fold says it: by spans that say when they began, if there are any;
    `earliest` is that of all. `place` is where the trace's row and contribution stand. `left` are the places it
    stood at earlier records of this batch: an attempt before a crash may have ended its batch right there and
    written them, so they are always cleared too. `named` are all sessions that a fact has ever named, `replaced` what
    facts said that another one of the same span has replaced. `changes` are the facts that came or changed since the
    row was written, at the time `written`, of `told` facts.
    """

    order: KeyOrder
    facts: dict[int, Fact] = field(default_factory=dict)
    start_time: int | None = None
    earliest: int | None = None
    latest_start: int = 0
    place: WindowKey | None = None
    left: set[WindowKey] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    replaced: set[Stood] = field(default_factory=set)
    changes: int = 0
    told: int = 0
    written: float = 0.0
    _first: tuple[bool, int] | None = None
    _best: tuple[int, int, int, str] | None = None

    def add(self, facts: Iterable[Fact]) -> tuple[bool, bool]:
        """Add facts.

        Returns:
            Whether the row may be another one now, and whether there is anything new to be kept at all: a
            span that was sent again has a higher version, and an older one must not win later; nor be forgotten, if
            whoever knows no other one has the trace stand elsewhere.
        """
        changes, news, decided = self.changes, False, False
        for fact in facts:
            known = self.facts.get(fact.span_id)
            if known is None:
                self.facts[fact.span_id] = fact
                self._consider(fact)
                self.changes += 1
            elif not self.lacks(fact):
                news = self._replace(fact, known) or news
            else:
                self._replace(known, fact)
                self.facts[fact.span_id] = fact
                news = True
                if known._replace(version=fact.version) != fact:
                    self.changes += 1
                    decided = decided or self._decides(known)
                    self._consider(fact)
        if decided:
            self._consider_all()
        changed = self.changes > changes
        return changed, changed or news

    def remember(self, replaced: Iterable[Stood]) -> None:
        """Take over what facts said that were replaced."""
        for start, session in replaced:
            self.replaced.add((start, session))
            if session:
                self.named.add(session)

    def forget(self, version: int) -> list[Fact]:
        """Take out the facts whose version is not above `version`, and return them; the row is due at once then."""
        gone = [fact for fact in self.facts.values() if fact.version <= version]
        for fact in gone:
            del self.facts[fact.span_id]
        self.told = 0
        self._consider_all()
        return gone

    def _replace(self, fact: Fact, newer: Fact) -> bool:
        """Remember what a fact said, if a newer one says otherwise; returns whether that was not known."""
        said, says = _stood(fact), _stood(newer)
        if said == says or said in self.replaced or len(self.replaced) >= _MOST_REPLACED:
            return False
        self.remember([said])
        return True

    def lacks(self, fact: Fact) -> bool:
        """Whether a fact is not among these, or newer."""
        known = self.facts.get(fact.span_id)
        return (
            known is None or fact.version > known.version or (fact.version == known.version and fact != known)
        )

    @property
    def session_id(self) -> str:
        """The session the facts name; '' without one."""
        return self._best[3] if self._best else ""

    def _consider_all(self) -> None:
        self._best, self._first, self.start_time, self.earliest = None, None, None, None
        for fact in self.facts.values():
            self._consider(fact)

    def _consider(self, fact: Fact) -> None:
        if self.earliest is None or fact.start_time < self.earliest:
            self.earliest = fact.start_time
        # As in the fold: a span whose start nobody knows says nothing about when the trace took place.
        first = (bool(fact.marks & NO_START), fact.start_time)
        if self._first is None or first < self._first:
            self._first, self.start_time = first, fact.start_time
        self.latest_start = max(self.latest_start, fact.start_time)
        if fact.session_key:
            self.named.add(fact.session_id)
            place = self.order.place(fact.session_key)
            candidate = (place, fact.start_time, fact.span_id, fact.session_id)
            if self._best is None or candidate < self._best:
                self._best = candidate

    def _decides(self, fact: Fact) -> bool:
        """Whether the place of the trace may hang on a fact."""
        best = self._best
        return fact.start_time == self.start_time or (best is not None and best[2] == fact.span_id)


def _stood(fact: Fact) -> Stood:
    return fact.start_time, fact.session_id if fact.session_key else ""
