"""Try one rival by hand: `python -m benchmarks.rivals.try_one NAME --spans 20000`.

It starts a broker and a database of its own, appends the whole load, starts the rival, waits until its sessions show
every span, and prints what it took and whether it was right. `--twice 10` appends every tenth message a second time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.load.encode import SPANS_PER_MESSAGE
from benchmarks.load.load import Load
from benchmarks.parts import BenchmarkError, Stack, local_stack
from benchmarks.produce import produce
from benchmarks.rivals.setting import RIVALS, Rival
from benchmarks.throughput import Measured, measure, report
from tests.environments import SetUpError

_SETTLED = 20.0  # seconds until what comes last, or comes twice, is there as well
_LOOK = 0.5


def run_rival(
    stack: Stack,
    rival: Rival,
    spans: int,
    per_message: int = SPANS_PER_MESSAGE,
    seed: int = 1,
    twice: int = 0,
) -> tuple[Measured, list[str]]:
    """Measure one rival, and tell what differs from the truth.

    Args:
        twice: every message of this number is appended a second time, none if 0.
    """
    rival.python()
    rival.set_up(stack)
    load = Load(spans, start=time.time_ns(), seed=seed)
    values = _repeated(rival.encode(load.spans(), per_message), twice)
    asyncio.run(produce(stack.bootstrap_servers, rival.reads, values))
    process = rival.start(stack)
    try:
        expected = load.truth.in_sessions().spans
        measured = measure(
            rival.name,
            stack,
            process,
            lambda: rival.is_ready(stack),
            lambda: min(rival.spans_in_sessions(stack), expected),
            expected,
        )
        end = time.monotonic() + _SETTLED
        if twice:
            time.sleep(_SETTLED)
        while (wrong := list(rival.differences(stack, load.truth))) and time.monotonic() < end:
            time.sleep(_LOOK)
    finally:
        process.stop()
    return replace(measured, spans=load.truth.all.spans, exact=not wrong), wrong


def _repeated(values: Iterable[bytes], twice: int) -> Iterator[bytes]:
    for number, value in enumerate(values, 1):
        yield value
        if twice and number % twice == 0:
            yield value


def main() -> None:
    """Run from the command line; exit code 1 if the result is not exact."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals.try_one", description=__doc__.split("\n")[0]
    )
    parser.add_argument("name", choices=RIVALS)
    parser.add_argument("--spans", type=int, default=20_000, help="%(default)s")
    parser.add_argument("--per-message", type=int, default=SPANS_PER_MESSAGE, help="%(default)s spans")
    parser.add_argument("--seed", type=int, default=1, help="seed of the load (%(default)s)")
    parser.add_argument("--twice", type=int, default=0, help="append every so many-th message twice")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spanloom-rival-") as temporary:
        folder: Path = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with local_stack(folder) as stack:
            measured, wrong = run_rival(
                stack,
                RIVALS[arguments.name],
                arguments.spans,
                arguments.per_message,
                arguments.seed,
                arguments.twice,
            )
    print(report(measured))
    for sentence in wrong[:5]:
        print(f"  {sentence}")
    if wrong:
        sys.exit(f"{len(wrong)} sessions differ")


if __name__ == "__main__":
    try:
        main()
    except (BenchmarkError, SetUpError) as error:
        sys.exit(str(error))
