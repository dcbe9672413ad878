"""What erasures say of the open traces of a partition, and which rows of spans must be taken away for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spanloom.agents.state.clock import timestamp_of
from spanloom.spans.folding.erasure import ForgottenSpan
from spanloom.spans.folding.facts import Fact, TraceKey

NONE = -1
"""Below the version of any span."""


class Forgotten:
    """By trace the version up to which its spans are forgotten: those that came before, and those that come later."""

    def __init__(self) -> None:
        self.found = False
        """Whether a fact was left out since this was last set to false."""
        self._versions: dict[TraceKey, int] = {}
        self._spans: dict[tuple[TraceKey, int], ForgottenSpan] = {}

    def __contains__(self, key: TraceKey) -> bool:
        return key in self._versions

    def __iter__(self) -> Iterator[TraceKey]:
        return iter(self._versions)

    def version(self, key: TraceKey) -> int:
        """Return the version up to which a trace's spans are forgotten; below all there are if none are."""
        return self._versions.get(key, NONE)

    def is_refused(self, key: TraceKey, now: int) -> bool:
        """Whether spans of a trace are forgotten whose records are written at `now`, ms."""
        return timestamp_of(self._versions.get(key, 0)) >= now

    def raise_to(self, key: TraceKey, version: int) -> bool:
        """Note an erasure; returns whether it is the newest of its trace."""
        is_newest = version > self._versions.get(key, 0)
        if is_newest:
            self._versions[key] = version
        return is_newest

    def drop(self, key: TraceKey) -> None:
        """Follow that a trace is not open any more."""
        self._versions.pop(key, None)

    def left_of(self, key: TraceKey, facts: Sequence[Fact]) -> Sequence[Fact]:
        """Return the facts of a trace that are not forgotten; the rows of the others are taken away."""
        version = self.version(key)
        left = [fact for fact in facts if fact.version > version]
        if len(left) == len(facts):
            return facts
        self.found = True
        self.take_away(key, (fact for fact in facts if fact.version <= version))
        return left

    def take_away(self, key: TraceKey, facts: Iterable[Fact]) -> None:
        """Note that the rows of some spans must be taken away."""
        version = self._versions[key]
        for fact in facts:
            row = ForgottenSpan(key, fact.span_id, fact.start_time, version)
            self._spans[key, fact.span_id] = row

    def take_spans(self) -> list[ForgottenSpan]:
        """Return those whose rows must be taken away, each once."""
        spans, self._spans = list(self._spans.values()), {}
        return spans
