"""The packages of the rivals, in `.venv-rivals/`: `python -m benchmarks.rivals.environments` sets them up.

Quix Streams needs an older pydantic than spanloom. What is there is used again until its pins change.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.environments import ROOT, SetUpError, is_current, make_venv, note, pip_install, say

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / ".venv-rivals"

_PINS = [HERE / "requirements.txt", HERE / "constraints.txt"]


def python() -> Path:
    """Return a Python that can run the rivals; it is set up if need be."""
    if not is_current(FOLDER, _PINS):
        say("setting up the rivals (the first time this takes half a minute)")
        requirements, constraints = map(str, _PINS)
        pip_install(make_venv(FOLDER), "--requirement", requirements, "--constraint", constraints)
        note(FOLDER, _PINS)
    return FOLDER / "bin" / "python"


def main() -> None:
    """Set it up."""
    try:
        python()
    except SetUpError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
