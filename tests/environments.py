"""Virtual environments beside the project's own, for tests that need other packages than it.

What is there is used again until its pins, or this Python, change.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class SetUpError(Exception):
    """Packages could not be installed; the message says what to do."""


def is_current(folder: Path, pins: Sequence[Path]) -> bool:
    """Whether a folder was set up from these files as they are now."""
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text() == _digest(pins)


def note(folder: Path, pins: Sequence[Path]) -> None:
    """Note in a folder that it has been set up from these files."""
    (folder / ".installed").write_text(_digest(pins))


def say(sentence: str) -> None:
    """Print what is being done that takes long."""
    print(sentence, file=sys.stderr, flush=True)


def run(argv: Sequence[str], cwd: Path | None = None) -> None:
    """Run a command of the set-up, in a folder, its output on standard error. Raises `SetUpError`."""
    try:
        subprocess.run(argv, check=True, stdout=sys.stderr, cwd=cwd)
    except subprocess.CalledProcessError as error:
        raise SetUpError(
            f"{Path(argv[0]).name} ended with {error.returncode}, see above: are the package registries in reach?"
        ) from None


def make_venv(folder: Path) -> Path:
    """Make an empty virtual environment with this Python, whatever was there; return its Python."""
    run([sys.executable, "-m", "venv", "--clear", str(folder)])
    return folder / "bin" / "python"


def pip_install(python: Path, *arguments: str) -> None:
    """Install what pip's arguments name. Raises `SetUpError`."""
    run([str(python), "-m", "pip", "install", "--disable-pip-version-check", "--prefer-binary", *arguments])


def _digest(pins: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join([sys.version.encode(), *(pin.read_bytes() for pin in pins)])).hexdigest()
