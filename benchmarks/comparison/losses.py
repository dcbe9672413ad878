"""Whether spanloom has lost ground: its costs beside a rival's, now and as they were committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from benchmarks.comparison.figures import ratio
from benchmarks.comparison.results import SPANLOOM, Results

LOSS = 1.2
"""A ratio that is more than this many times the committed one is a loss."""


@dataclass(frozen=True)
class Ratio:
    """spanloom's CPU time divided by a rival's, in one case; less is better."""

    case: str
    part: str
    """`worker` or `database`."""
    rival: str
    value: float

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.case}, {self.part} beside {self.rival}"

    def same(self, other: Ratio) -> bool:
        """Whether the other one is of the same things."""
        return (self.case, self.part, self.rival) == (other.case, other.part, other.rival)


@dataclass(frozen=True)
class Change:
    """A ratio that was committed, and what it is now."""

    ratio: Ratio
    committed: float

    @property
    def times(self) -> float:
        """How many times the committed one it is."""
        return self.ratio.value / self.committed

    @property
    def is_loss(self) -> bool:
        """Whether spanloom has lost more than a fifth."""
        return self.times > LOSS


class RatiosError(Exception):
    """There is nothing to compare with; the message says what to do."""


def ratios(results: Results) -> list[Ratio]:
    """Return the ratios of all cases and rivals.

    Raises:
        RatiosError: a rival failed or was wrong, so that its cost says nothing.
    """
    found = []
    for case in results.cases:
        for rival in results.contestants(case.name):
            if rival == SPANLOOM:
                continue
            _refuse_wrong(results, case.name, rival)
            for part in ("worker", "database"):
                value = ratio(results, case.name, part, SPANLOOM, rival)
                if value is None:
                    raise RatiosError(
                        f"no ratio of {case.name} beside {rival}: {part} was too short to be seen"
                    )
                found.append(Ratio(case.name, part, rival, value))
    return found


def _refuse_wrong(results: Results, case: str, rival: str) -> None:
    for failure in results.failures:
        if (failure.case, failure.contestant) == (case, rival):
            raise RatiosError(f"{rival} failed in {case}, so its cost says nothing: {failure.sentence}")
    for run in results.runs:
        if (run.case, run.contestant) == (case, rival) and run.wrong:
            raise RatiosError(
                f"{rival} was wrong in {case}, so its cost says nothing: {run.wrong} sessions differ"
            )


def changes(now: Iterable[Ratio], committed: Sequence[Ratio]) -> Iterator[Change]:
    """Put each ratio beside the committed one.

    Raises:
        RatiosError: one was never committed.
    """
    for one in now:
        before = next((other for other in committed if other.same(one)), None)
        if before is None:
            raise RatiosError(f"no ratio is committed of {one.name}: write them anew with --write")
        yield Change(one, before.value)


def verdict(found: Iterable[Change]) -> str:
    """Return a sentence that names each loss; empty if there is none."""
    lost = [
        f"{one.ratio.name}: {one.ratio.value:.2f}, was {one.committed:.2f}" for one in found if one.is_loss
    ]
    return f"spanloom lost more than a fifth in {len(lost)} ratios: {'; '.join(lost)}" if lost else ""


def to_json(results: Results, found: Iterable[Ratio]) -> str:
    """Return ratios to be committed, with where they come from."""
    made = {"machine": asdict(results.machine), "ratios": [asdict(one) for one in found]}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str) -> list[Ratio]:
    """Read what `to_json` has written."""
    return [Ratio(**one) for one in json.loads(text)["ratios"]]
