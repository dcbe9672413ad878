"""One run: a broker and a database of its own, the whole load appended, one contestant, the truth compared."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.comparison.cases import Case
from benchmarks.comparison.results import SPANLOOM, ParseLimit
from benchmarks.comparison.rounds import Turn
from benchmarks.load.work import Work
from benchmarks.parts import Stack, local_stack
from benchmarks.produce import produce
from benchmarks.rivals.parse_limit import parse_limits
from benchmarks.rivals.setting import RIVALS, Rival
from benchmarks.throughput import Measured, measure, run_spanloom, settled

_PARSED = 20_000
"""The most spans of which the parse limit is measured: all are in memory at once."""
_PASSES = 3


def measuring(keep: Path | None = None, twice: int = 0) -> Callable[[Turn], Measured]:
    """Return what does one run; it raises `BenchmarkError` if a part does not do what it should.

    Args:
        keep: a folder for the data and logs of every run, kept; else they are removed.
        twice: every message of this number is appended a second time, none if 0.
    """

    def run(turn: Turn) -> Measured:
        work = turn.case.work(turn.contestant, seed=turn.round, twice=twice)
        with tempfile.TemporaryDirectory(prefix="spanloom-comparison-") as temporary:
            own = f"{turn.round} {turn.case.name} {turn.contestant}".replace(",", "").replace(" ", "-")
            folder = keep / own if keep else Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            with local_stack(folder) as stack:
                if turn.contestant == SPANLOOM:
                    return run_spanloom(stack, work, turn.case.cold)
                return run_rival(stack, RIVALS[turn.contestant], work)

    return run


def run_rival(stack: Stack, rival: Rival, work: Work) -> Measured:
    """Measure one rival."""
    rival.set_up(stack)
    load = work.load()
    values = work.values(load, rival.encode)
    asyncio.run(produce(stack.bootstrap_servers, rival.reads, values, compression=work.compression))
    process = rival.start(stack, work.compression)
    try:
        expected = load.truth.in_sessions().spans
        measured = measure(
            rival.name,
            stack,
            process,
            lambda: rival.is_ready(stack),
            # One that counts what comes twice twice may never show the right number.
            lambda: min(rival.spans_in_sessions(stack), expected),
            expected,
        )
        wrong = settled(lambda: rival.differences(stack, load.truth), bool(work.twice))
    finally:
        process.stop()
    return replace(measured, spans=load.truth.all.spans, wrong=wrong)


def parsing(case: Case) -> ParseLimit:
    """Measure what parsing a case's load alone takes."""
    work = case.work(SPANLOOM)
    limits = parse_limits(replace(work, spans=min(work.spans, _PARSED)), _PASSES)
    return ParseLimit(case.name, limits.ptars, limits.official)
