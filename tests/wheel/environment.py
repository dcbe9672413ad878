"""`.venv-wheel`: all that spanloom and the openai-agents SDK need, and neither of both until a test installs it.

`python -m tests.wheel.environment` sets it up, in a minute or so with a warm cache; it is used again until the pins
change. Installing and uninstalling the two then needs no network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.environments import ROOT, SetUpError, is_current, make_venv, note, pip_install, run, say
from tests.wheel.building import build

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / ".venv-wheel"
PYTHON = FOLDER / "bin" / "python"

_WHEELS = FOLDER / "wheels"
_PINS = [
    HERE / "requirements.txt",
    HERE / "constraints.txt",
    ROOT / "constraints.txt",
    ROOT / "pyproject.toml",
]
_CONSTRAINTS = ("--constraint", str(HERE / "constraints.txt"), "--constraint", str(ROOT / "constraints.txt"))


def builder() -> Path:
    """Return a Python that can build a wheel, and has the SDK's packages; they are installed if need be."""
    if not is_current(FOLDER, _PINS) and not is_current(_WHEELS, _PINS):
        say("setting up .venv-wheel (the first time this takes a minute or two)")
        python = make_venv(FOLDER)
        requirements = HERE / "requirements.txt"
        pip_install(python, "--requirement", str(requirements), *_CONSTRAINTS)
        [sdk] = [line for line in requirements.read_text().splitlines() if line.startswith("openai-agents")]
        # Kept, so that installing it anew asks nobody.
        run([str(python), "-m", "pip", "download", "--no-deps", "--dest", str(_WHEELS), sdk])
        note(_WHEELS, _PINS)
    return PYTHON


class Environment:
    """The environment with what a wheel needs, to install and uninstall packages in."""

    def __init__(self, wheel: Path) -> None:
        self._files = {"spanloom": wheel, "openai-agents": next(_WHEELS.glob("openai_agents-*.whl"))}
        if not is_current(FOLDER, _PINS):
            pip_install(builder(), f"spanloom[local] @ {wheel.as_uri()}", *_CONSTRAINTS)
            note(FOLDER, _PINS)

    def install(self, package: str) -> None:
        """Install `spanloom` or `openai-agents`, of which what they need is there."""
        self._pip("install", "--no-index", "--no-deps", str(self._files[package]))

    def uninstall(self, *packages: str) -> None:
        """Uninstall some, if they are installed."""
        self._pip("uninstall", "--yes", *packages)

    def run(self, *argv: str, folder: Path) -> str:
        """Run a program of the environment and return what it prints; it must succeed."""
        done = subprocess.run(
            [str(FOLDER / "bin" / argv[0]), *argv[1:]],
            cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def top_level(self) -> set[str]:
        """Return what lies in site-packages, without what pip notes about packages."""
        [site] = (FOLDER / "lib").glob("python3*/site-packages")
        return {path.name for path in site.iterdir() if path.suffix != ".dist-info"}

    def _pip(self, *arguments: str) -> None:
        run([str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments])


def clean_environment() -> dict[str, str]:
    """The environment without what spanloom, Python or pip would read from it."""
    ours = ("SPANLOOM_", "PYTHON", "PIP_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def main() -> None:
    """Set everything up."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            Environment(build(builder(), Path(folder)).wheel)
    except SetUpError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
