"""Record SDKs of the JVM: `python -m tests.recordings.jvm [NAME...]`, all of them by default.

For each recording, a folder of `tests/recordings/jvm/`, in this order:

1. the program, built by Maven from its `pom.xml`, its sources and `Turns.java` in a folder that is kept for next time;
2. the stand-in LLM server and the OTLP sink, each on a free port of loopback;
3. the program's jar, given their addresses by environment variables;
4. `tests/captures/NAME/`: the OTLP messages without the machine, and `truth.json`.

It needs a JDK 17 or newer and Maven, no account, and no network but the package index.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.recordings.stage import CAPTURES, HERE, keep, run

PROGRAMS = HERE / "jvm"


def built(name: str, environments: Path) -> Path:
    """Return the jar of a recording's program."""
    folder = environments / name
    shutil.copytree(PROGRAMS / name, folder, dirs_exist_ok=True)
    shutil.copy(PROGRAMS / "Turns.java", folder / "src" / "main" / "java" / "recording")
    subprocess.run(["mvn", "--quiet", "--batch-mode", "package"], check=True, cwd=folder)
    return folder / "target" / "program.jar"


def record(name: str, environments: Path, captures: Path) -> None:
    """Run a program and write its recording."""
    jar = built(name, environments)
    with tempfile.TemporaryDirectory() as scratch:
        found = run(name, ["java", "-jar", jar], Path(scratch))
        keep(name, found, [scratch, str(environments)], captures)


def main() -> None:
    """Record what was asked for."""
    names = sorted(folder.parent.name for folder in PROGRAMS.glob("*/pom.xml"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--captures", type=Path, default=CAPTURES, help="where to write (%(default)s)")
    parser.add_argument(
        "--environments", type=Path, default=Path(tempfile.gettempdir(), "spanloom-recordings-jvm")
    )
    options = parser.parse_args()
    for name in options.names or names:
        record(name, options.environments.resolve(), options.captures)


if __name__ == "__main__":
    main()
