"""The SDKs that the tests send with, in `.venv-clients/`: `python -m tests.clients.environments` sets them up.

What is there is used again until its pins change; the programs of tests/clients/programs run in it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".venv-clients"

PYTHON = FOLDER / "python" / "bin" / "python"
NODE_FOLDER = FOLDER / "node"


class SetUpError(Exception):
    """The SDKs could not be installed; the message says what to do."""


def without_node() -> str | None:
    """Return why JavaScript SDKs can't be run here, None if they can."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"there is no {' and no '.join(missing)} here to run JavaScript SDKs with" if missing else None


def python_sdks() -> Path:
    """Return a Python that has the Python SDKs; they are installed if need be."""
    pins = [HERE / "requirements.txt", HERE / "constraints.txt"]
    folder = FOLDER / "python"
    if not _is_current(folder, pins):
        _say("setting up the Python SDKs (the first time this takes a minute or two)")
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        requirements, constraints = map(str, pins)
        pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--prefer-binary"]
        _run([*pip, "--requirement", requirements, "--constraint", constraints])
        _note(folder, pins)
    return PYTHON


def javascript_sdks() -> Path:
    """Return a folder whose programs find the JavaScript SDKs; they are installed if need be."""
    pins = [HERE / "package.json"]
    if not _is_current(NODE_FOLDER, pins):
        _say("setting up the JavaScript SDKs (the first time this takes a minute)")
        shutil.rmtree(NODE_FOLDER, ignore_errors=True)
        NODE_FOLDER.mkdir(parents=True)
        shutil.copy(pins[0], NODE_FOLDER)
        # No package of these needs its install script.
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        _run(["npm", "install", *options, "--prefix", str(NODE_FOLDER)])
        _note(NODE_FOLDER, pins)
    return NODE_FOLDER


def _digest(pins: list[Path]) -> str:
    return hashlib.sha256(b"".join(pin.read_bytes() for pin in pins)).hexdigest()


def _is_current(folder: Path, pins: list[Path]) -> bool:
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text() == _digest(pins)


def _note(folder: Path, pins: list[Path]) -> None:
    (folder / ".installed").write_text(_digest(pins))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _run(argv: list[str]) -> None:
    try:
        subprocess.run(argv, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise SetUpError(
            f"{Path(argv[0]).name} ended with {error.returncode}, see above: are the package registries in reach?"
        ) from None


def main() -> None:
    """Set up everything that can be."""
    try:
        python_sdks()
        if reason := without_node():
            _say(f"{reason}: their tests are skipped")
        else:
            javascript_sdks()
    except SetUpError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
