"""spanloom beside what else people would build: `python -m benchmarks.comparison`.

Several rounds of every case and contestant, each with a broker and a database of its own; medians. A table on standard
output; `comparison.json` and `comparison.svg` in a folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.comparison.cases import CASES, CONTESTANTS, chosen
from benchmarks.comparison.machine import machine
from benchmarks.comparison.results import to_json
from benchmarks.comparison.rounds import compare
from benchmarks.comparison.runs import measuring, parsing
from benchmarks.comparison.table import table
from benchmarks.parts import BenchmarkError
from benchmarks.rivals import environments
from tests.environments import ROOT, SetUpError, say


def main() -> None:
    """Run from the command line; exit code 1 if spanloom was not exact."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.comparison", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--case", choices=CASES, action="append", help="only this one; may be repeated")
    parser.add_argument("--contestant", choices=CONTESTANTS, action="append", help="likewise")
    parser.add_argument("--rounds", type=int, default=3, help="%(default)s")
    parser.add_argument("--spans", type=int, help="of every case, for a quick trial")
    parser.add_argument("--twice", type=int, default=0, help="append every so many-th message twice")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks", help="%(default)s")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that are kept")
    arguments = parser.parse_args()
    python = environments.python()
    cases = chosen(arguments.case, arguments.contestant, arguments.spans)
    results = compare(cases, arguments.rounds, machine(), measuring(arguments.keep, arguments.twice), say)
    results = replace(results, parse_limits=tuple(map(parsing, cases)))
    print(table(results))
    arguments.out.mkdir(parents=True, exist_ok=True)
    found, plot = (arguments.out / f"comparison.{kind}" for kind in ("json", "svg"))
    found.write_text(to_json(results))
    subprocess.run(
        [str(python), "-m", "benchmarks.comparison.plot", str(found), str(plot)],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    say(f"{found} and {plot} written")


if __name__ == "__main__":
    try:
        main()
    except (BenchmarkError, SetUpError) as error:
        sys.exit(str(error))
