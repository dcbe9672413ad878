"""`make fuzz`: every target in turn, for a bounded time, each in a process of its own.

A finding ends with exit code 1 and the file that causes it: an exception, a broken law, an input that takes longer
than 30 seconds or more than 2 GB. What was learned stays in .fuzz/ for the next time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.targets import TARGETS, dictionary, seeds

FOLDER = Path(".fuzz")
_OPTIONS = ("-timeout=30", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1", "-verbosity=1")


def main() -> int:
    """Run the targets; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], help="all, unless named")
    options = parser.parse_args()
    if find_spec("atheris") is None:
        print("There is no atheris here: it has wheels for Linux on x86-64 only.", file=sys.stderr)
        return 1
    names = options.targets or list(TARGETS)
    words = FOLDER / "words.dict"
    FOLDER.mkdir(exist_ok=True)
    words.write_text(dictionary())
    for name in names:
        corpus = FOLDER / name
        corpus.mkdir(exist_ok=True)
        for seed in seeds(name):
            (corpus / sha256(seed).hexdigest()[:40]).write_bytes(seed)
        print(f"--- {name}: {TARGETS[name].__doc__}", flush=True)
        command = [sys.executable, "-m", "tests.fuzz.harness", name, *_OPTIONS, f"-dict={words}"]
        share = max(1, options.seconds // len(names))
        command += [f"-max_total_time={share}", f"-artifact_prefix={FOLDER}/", str(corpus)]
        if subprocess.run(command, check=False).returncode:
            print(
                f"A finding, see above: python -m tests.fuzz.harness {name} FILE shows it again.",
                file=sys.stderr,
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
