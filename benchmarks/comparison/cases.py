"""The cases: what is measured, and who takes part."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.comparison.results import SPANLOOM
from benchmarks.load.encode import SPANS_PER_MESSAGE
from benchmarks.load.work import Compression, Work
from benchmarks.rivals.setting import RIVALS

CONTESTANTS = (SPANLOOM, *RIVALS)
"""All who can take part."""

_USUAL = (SPANLOOM, "quix-sets", "quix-sums", "clickhouse-alone")
_PART = {"faust": 4}
"""Who gets a fourth of the spans: it takes ten times as long for each, and costs are counted a span."""


@dataclass(frozen=True)
class Case:
    """One load, and the contestants that get it."""

    name: str
    spans: int
    kind: str = "chat"
    """One of `benchmarks.load.kinds.KINDS`."""
    per_message: int = SPANS_PER_MESSAGE
    compression: Compression = "none"
    """Of what is produced, and of inserts."""
    cold: bool = False
    """spanloom's state begins with the load, so that every trace is looked up in ClickHouse; others look nothing up."""
    contestants: tuple[str, ...] = _USUAL

    @property
    def words(self) -> str:
        """What it is, for a heading."""
        return ", ".join(
            (
                f"{self.name}: {self.kind}",
                f"{self.spans:,} spans",
                f"{self.per_message} a message",
                f"compression {self.compression}",
                "cold" if self.cold else "warm",
            )
        )

    def work(self, contestant: str, seed: int = 1, twice: int = 0) -> Work:
        """Return what a contestant is given to do, see `Work`."""
        return Work(
            spans=self.spans // _PART.get(contestant, 1),
            kind=self.kind,
            per_message=self.per_message,
            compression=self.compression,
            seed=seed,
            twice=twice,
        )


CASES = {
    case.name: case
    for case in (
        Case("chat", 40_000, contestants=(*_USUAL, "faust")),
        Case("chat, lz4", 40_000, compression="lz4"),
        Case("chat, cold", 40_000, cold=True, contestants=(SPANLOOM,)),
        # A span takes 18 kB: 500 of them would be more than the topic takes in one message.
        Case("agents", 8_000, kind="agents", per_message=100),
        Case("plain", 100_000, kind="plain"),
        Case("one a message", 20_000, per_message=1),
        Case("ten a message", 20_000, per_message=10),
        Case("whole traces", 40_000, kind="whole traces"),
        Case("fresh texts", 40_000, kind="fresh texts"),
        Case("long traces", 40_000, kind="long traces"),
    )
}
"""By name, in the order in which they run."""


def chosen(names: list[str] | None, contestants: list[str] | None, spans: int | None = None) -> list[Case]:
    """Return cases by name, each with those contestants only; all where None.

    Args:
        spans: instead of the cases' own numbers.
    """
    found = []
    for case in [CASES[name] for name in names or CASES]:
        who = tuple(one for one in case.contestants if contestants is None or one in contestants)
        if who:
            found.append(replace(case, contestants=who, spans=spans or case.spans))
    return found
