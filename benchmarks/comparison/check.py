"""Has spanloom lost ground since its ratios were committed? `python -m benchmarks.comparison.check`

A shorter comparison. Times differ from machine to machine, so only ratios within the run are looked at: spanloom's
CPU time divided by a rival's, of workers and of databases. Exit code 1 if one is more than a fifth above the
committed one. `--write` commits them anew: on a machine with nothing else running, and with a reason.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.comparison.cases import chosen
from benchmarks.comparison.losses import RatiosError, changes, from_json, ratios, to_json, verdict
from benchmarks.comparison.machine import machine
from benchmarks.comparison.results import SPANLOOM
from benchmarks.comparison.rounds import compare
from benchmarks.comparison.runs import measuring
from benchmarks.parts import BenchmarkError
from tests.environments import SetUpError, say

COMMITTED = Path(__file__).with_name("committed.json")
CASES = ["chat", "plain", "agents", "one a message"]
CONTESTANTS = [SPANLOOM, "quix-sets", "clickhouse-alone"]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.comparison.check", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=3, help="%(default)s")
    parser.add_argument("--spans", type=int, help="of every case, for a quick trial")
    parser.add_argument("--write", action="store_true", help="write the committed ratios anew")
    arguments = parser.parse_args()
    cases = chosen(CASES, CONTESTANTS, arguments.spans)
    results = compare(cases, arguments.rounds, machine(), measuring(), say)
    found = ratios(results)
    if arguments.write:
        COMMITTED.write_text(to_json(results, found))
        print(f"{len(found)} ratios written to {COMMITTED}")
        return
    changed = list(changes(found, from_json(COMMITTED.read_text())))
    print("spanloom's CPU time divided by the rival's:")
    for one in changed:
        print(
            f"  {one.ratio.name:<50} {one.ratio.value:6.2f}, was {one.committed:6.2f}"
            f"{'  LOSS' if one.is_loss else ''}"
        )
    if sentence := verdict(changed):
        sys.exit(sentence)


if __name__ == "__main__":
    try:
        main()
    except (BenchmarkError, RatiosError, SetUpError) as error:
        sys.exit(str(error))
