"""Record real SDKs: `python -m tests.recordings [NAME...]`, all of them by default.

For each recording, a folder of `tests/recordings/py/`, in this order:

1. an environment of its own with the versions in `requirements.txt`, kept for the next time;
2. the stand-in LLM server and the OTLP sink, each on a free port of loopback;
3. `program.py`, given their addresses by environment variables;
4. `tests/captures/py-NAME/`: the OTLP messages without the machine, and `truth.json`.

No account is needed, and no network but the package index.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.recordings.stage import CAPTURES, HERE, keep, run

PROGRAMS = HERE / "py"


def environment(name: str, folder: Path) -> Path:
    """Return the interpreter of a recording's environment, made anew where its requirements changed."""
    requirements = PROGRAMS / name / "requirements.txt"
    wanted = requirements.read_text()
    installed = folder / name / "installed.txt"
    python = folder / name / "bin" / "python"
    if not installed.exists() or installed.read_text() != wanted:
        venv.create(folder / name, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        installed.write_text(wanted)
    return python


def record(name: str, python: Path, captures: Path) -> None:
    """Run a program and write its recording."""
    with tempfile.TemporaryDirectory() as scratch:
        program = PROGRAMS / name / "program.py"
        found = run(name, [python, program], Path(scratch), {"PYTHONPATH": str(PROGRAMS)})
        keep(f"py-{name}", found, [scratch, str(python.parents[1]), sys.base_prefix], captures)


def main() -> None:
    """Record what was asked for."""
    names = sorted(folder.parent.name for folder in PROGRAMS.glob("*/program.py"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--captures", type=Path, default=CAPTURES, help="where to write (%(default)s)")
    parser.add_argument(
        "--environments", type=Path, default=Path(tempfile.gettempdir(), "spanloom-recordings")
    )
    options = parser.parse_args()
    for name in options.names or names:
        record(name, environment(name, options.environments.resolve()), options.captures)


if __name__ == "__main__":
    main()
