"""Break spanloom in every way that docs/guarantees.md names, and see whether all rows are right in the end.

On Apache Kafka with three brokers (fetched by Maven, no Docker), three copies of every topic, and a ClickHouse; for
each fault anew: empty topics, an empty database, two to four workers, and a load that goes on while things break. In
the end every row of the four views, with all its columns, must be that of a run in which nothing happened; and what
that run shows must be what the load's generator knows. What ends by itself is started again, as Kubernetes would.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

import pytest

from benchmarks.exactness import differences
from benchmarks.load.encode import messages
from benchmarks.load.load import Load
from tests.chaos.cluster import Cluster
from tests.chaos.fault import FAULTS, Fault

# Each enters its faults into the table, in this order.
from tests.chaos.faults import workers, kafka, clickhouse, topics, senders, commands, storm  # noqa: F401 # isort: skip
from tests.chaos.rows import Rows, all_rows
from tests.chaos.scene import Outcome, Scene
from tests.chaos.sending import Sent, spread
from tests.integration.installation import PARTITIONS
from tests.kafka_jars import KafkaUnavailable

_SPANS_PER_MESSAGE = 10
_DEADLINE = 120.0
"""Seconds until all rows must be right once nothing is broken any more."""
_FAST = 1000
"""Spans a second while nothing is broken."""
_WIDTH = 82


def undisturbed(cluster: Cluster, folder: Path, load: Load, records: list[Sent], seconds: float) -> Rows:
    """Return the rows of a run in which nothing happens; exit where they are not what the generator knows."""
    folder.mkdir()
    scene = Scene(cluster, folder, records, Rows(), settings={}, seconds=seconds, seed=1)
    with scene.running(workers=2):
        scene.sending.wait()
        scene.drained()
        wrong = list(differences(scene.installation.sql, load.truth))
        found = all_rows(scene.installation.sql)
    if wrong:
        sys.exit("wrong without any fault:\n" + "\n".join(wrong[:10]))
    return found


def run(
    cluster: Cluster, folder: Path, fault: Fault, load: list[Sent], expected: Rows, seconds: float, seed: int
) -> Outcome:
    """Let one fault happen."""
    folder.mkdir()
    records = list(fault.sends(load, Random(seed)))
    scene = Scene(
        cluster,
        folder,
        records,
        expected,
        settings=dict(fault.settings),
        seconds=seconds,
        seed=seed,
    )
    try:
        with scene.running(fault.workers):
            fault.act(scene)
            scene.judge(max(_DEADLINE, seconds))
    except (Exception, pytest.fail.Exception) as error:
        traceback.print_exc(file=(folder / "error.txt").open("w"))
        scene.outcome.problem = f"{type(error).__name__}: {str(error)[:300]}"
    return scene.outcome


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*", help="only faults whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="only the subset of .ci/run")
    parser.add_argument("--spans", type=int, default=8_000, help="of the load (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="that the load takes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random (%(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    options = parser.parse_args()

    chosen = [
        fault
        for fault in FAULTS
        if (fault.quick or not options.quick)
        and (not options.words or any(word.lower() in fault.name.lower() for word in options.words))
    ]
    if not chosen:
        sys.exit("no fault has such a name:\n" + "\n".join(fault.name for fault in FAULTS))
    load = Load(options.spans, start=time.time_ns(), seed=options.seed)
    records = spread(list(messages(load.spans(), _SPANS_PER_MESSAGE)), PARTITIONS)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="spanloom-chaos-") as temporary:
        folder: Path = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=folder / "sender.log")  # it complains of each connection that is refused
        try:
            cluster = Cluster(folder)
        except KafkaUnavailable as error:
            sys.exit(str(error))
        try:
            cluster.start()
            expected = undisturbed(
                cluster, folder / "undisturbed", load, records, min(options.seconds, options.spans / _FAST)
            )
            print(
                f"{options.spans:,} spans in {options.seconds:.0f} s: {expected.total():,} rows, as they must be"
            )
            print(
                f"{'fault':{_WIDTH}} {'rows':>7} {'wrong':>6} {'s until whole':>13} {'peak MB':>8} {'starts':>6}"
            )
            for number, fault in enumerate(chosen):
                outcome = run(
                    cluster,
                    folder / f"{number:02}",
                    fault,
                    records,
                    expected,
                    options.seconds,
                    options.seed + number,
                )
                bad += bool(outcome.wrong or outcome.problem)
                print(_line(fault, outcome), flush=True)
        finally:
            cluster.kill()
    if bad:
        sys.exit(f"{bad} of {len(chosen)} went wrong; with --keep FOLDER their logs stay")
    print(f"all rows are right after each of {len(chosen)} faults")


def _line(fault: Fault, outcome: Outcome) -> str:
    line = (
        f"{fault.name:{_WIDTH}} {outcome.rows:>7,} {outcome.wrong:>6,} {outcome.seconds:>13.1f}"
        f" {outcome.peak / 1e6:>8.0f} {outcome.starts:>6}"
    )
    return f"{line}\n    {outcome.problem}" if outcome.problem else line


if __name__ == "__main__":
    main()
