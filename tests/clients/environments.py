"""The SDKs that the tests send with, in `.venv-clients/`: `python -m tests.clients.environments` sets them up.

What is there is used again until its pins change; the programs of tests/clients/programs run in it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.environments import ROOT, SetUpError, is_current, make_venv, note, pip_install, run, say

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / ".venv-clients"

PYTHON = FOLDER / "python" / "bin" / "python"
NODE_FOLDER = FOLDER / "node"


def without_node() -> str | None:
    """Return why JavaScript SDKs can't be run here, None if they can."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"there is no {' and no '.join(missing)} here to run JavaScript SDKs with" if missing else None


def python_sdks() -> Path:
    """Return a Python that has the Python SDKs; they are installed if need be."""
    pins = [HERE / "requirements.txt", HERE / "constraints.txt"]
    folder = FOLDER / "python"
    if not is_current(folder, pins):
        say("setting up the Python SDKs (the first time this takes a minute or two)")
        requirements, constraints = map(str, pins)
        pip_install(make_venv(folder), "--requirement", requirements, "--constraint", constraints)
        note(folder, pins)
    return PYTHON


def javascript_sdks() -> Path:
    """Return a folder whose programs find the JavaScript SDKs; they are installed if need be."""
    pins = [HERE / "package.json"]
    if not is_current(NODE_FOLDER, pins):
        say("setting up the JavaScript SDKs (the first time this takes a minute)")
        shutil.rmtree(NODE_FOLDER, ignore_errors=True)
        NODE_FOLDER.mkdir(parents=True)
        shutil.copy(pins[0], NODE_FOLDER)
        # No package of these needs its install script.
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        run(["npm", "install", *options, "--prefix", str(NODE_FOLDER)])
        note(NODE_FOLDER, pins)
    return NODE_FOLDER


def main() -> None:
    """Set up everything that can be."""
    try:
        python_sdks()
        if reason := without_node():
            say(f"{reason}: their tests are skipped")
        else:
            javascript_sdks()
    except SetUpError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
