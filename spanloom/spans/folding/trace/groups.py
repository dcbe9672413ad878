"""Which spans tell of the same call: sets of spans that are joined, and what keeps two of them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spanloom.spans.folding.fact import Fact

Said = tuple[int, int, int]
"""Tokens of input, output and of either."""

_SILENT: Said = (0, 0, 0)

_NINE_TENTHS = 9, 10
"""So much of the shorter of two spans lies in the other where both are one call: their clocks are read one after the
other."""


class Groups:
    """Sets of spans by position, each of which tells of one call; at first each span is one of its own."""

    def __init__(self, spans: Sequence[Fact]) -> None:
        self._spans = spans
        self._above: dict[int, int] = {}
        self._scopes: dict[int, frozenset[str]] = {}
        self._response: dict[int, str] = {}
        self._said: dict[int, Said] = {}

    def find(self, at: int) -> int:
        """Return the span by which the group of a span is known."""
        above = self._above
        while (parent := above.get(at, at)) != at:
            above[at] = above.get(parent, parent)
            at = parent
        return at

    def join(self, one: int, other: int) -> int:
        """Make the groups of two spans one; return the span by which it is known."""
        one, other = sorted((self.find(one), self.find(other)))
        if one != other:
            self._scopes[one] = self.scopes(one) | self.scopes(other)
            self._response[one] = self.response(one) or self.response(other)
            self._said[one] = max(self.said(one), self.said(other), key=sum)
            self._above[other] = one
        return one

    def are_one(self, one: int, other: int) -> bool:
        """Whether two spans, the nearest spans around which are the same, tell of one call."""
        if self._spans[one].span_type != self._spans[other].span_type:
            return False
        first, second = self.find(one), self.find(other)
        responses = self.response(first), self.response(second)
        if all(responses):
            return responses[0] == responses[1]
        said = self.said(first), self.said(second)
        return (
            self.scopes(first).isdisjoint(self.scopes(second))
            and (_SILENT in said or said[0] == said[1])
            and _lies_in(self._spans[one], self._spans[other])
        )

    def scopes(self, group: int) -> frozenset[str]:
        """The instrumentations that wrote a group's spans."""
        return self._scopes.get(group) or frozenset((self._spans[group].scope,))

    def response(self, group: int) -> str:
        """The ID of a group's response, empty where no span has one."""
        return self._response.get(group) or self._spans[group].response_id

    def said(self, group: int) -> Said:
        """The tokens of a group; of different statements the largest."""
        fact = self._spans[group]
        return self._said.get(group) or (fact.input_tokens, fact.output_tokens, fact.unsplit_tokens)

    def sets(self, spans: Iterable[int]) -> list[list[int]]:
        """Return the groups that these spans form, in their order."""
        found: dict[int, list[int]] = {}
        for at in spans:
            found.setdefault(self.find(at), []).append(at)
        return list(found.values())


def _lies_in(one: Fact, other: Fact) -> bool:
    end = min(one.start_time + one.duration, other.start_time + other.duration)
    overlap = end - max(one.start_time, other.start_time)
    numerator, denominator = _NINE_TENTHS
    return overlap >= 0 and overlap * denominator >= min(one.duration, other.duration) * numerator
