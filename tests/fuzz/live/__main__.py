"""`make fuzz-live`: random requests to a running stack, for a bounded time.

A finding ends with exit code 1 and is kept in .fuzz/live/: an answer of 5xx, a traceback or an error in a log, a part
that died, memory that grows. `--seed` sends the same requests once more.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.fuzz.live.attack import attack
from tests.running_stack import Up

FOLDER = Path(".fuzz") / "live"


def main() -> int:
    """Attack; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, Up(Path(folder) / "data") as up:
        outcome = attack(up, options.seed, _until(options.seconds))
    for answer, times in sorted(outcome.answers.items()):
        print(f"{times:8} {answer}")
    for part, (before, after) in sorted(outcome.memory.items()):
        print(f"{part}: {before >> 20} MiB, at the end {after >> 20} MiB")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for what, requests in outcome.findings.items():
        files = []
        for sent in requests[:3]:
            files.append(FOLDER / sha256(sent).hexdigest()[:16])
            files[-1].write_bytes(sent)
        print(f"finding: {what}", *files, file=sys.stderr)
    return 1 if outcome.findings else 0


def _until(seconds: float) -> Iterator[float]:
    """How much of a time has passed, until it has."""
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        yield passed / seconds


if __name__ == "__main__":
    sys.exit(main())
