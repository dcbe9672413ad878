"""`make audit`: are there known holes in what is pinned, and in the oldest versions that pyproject.toml admits?

Asked are the registries themselves, by their own clients: pip-audit, npm. A registry, or a mirror of one, that has no
such data does not fail the build, but is named; a known hole does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.audit.findings import Findings, of_npm_audit, of_pip_audit
from tests.audit.floors import floors
from tests.environments import ROOT, SetUpError, is_current, make_venv, note, pip_install, say

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / ".venv-audit"

PINS = (
    ROOT / "constraints.txt",
    ROOT / "constraints-oldest.txt",
    ROOT / "deploy" / "image" / "build-requirements.txt",
    ROOT / "benchmarks" / "rivals" / "constraints.txt",
    ROOT / "tests" / "clients" / "constraints.txt",
    ROOT / "tests" / "wheel" / "constraints.txt",
)

_DEADLINE = 600
"""Seconds that a registry has for all answers to one list."""


def pip_audit() -> Path:
    """Return the tool, which is installed if need be. Raises `SetUpError`."""
    pins = [HERE / "requirements.txt", HERE / "constraints.txt"]
    tool = FOLDER / "bin" / "pip-audit"
    if not is_current(FOLDER, pins):
        say("setting up .venv-audit")
        requirements, constraints = map(str, pins)
        pip_install(make_venv(FOLDER), "--quiet", "--requirement", requirements, "--constraint", constraints)
        note(FOLDER, pins)
    return tool


def of_python(tool: Path, folder: Path) -> Iterator[tuple[str, Findings | str]]:
    """Look up each list of pins; its findings, or why there are none."""
    oldest = folder / "floors.txt"
    oldest.write_text("\n".join(floors((ROOT / "pyproject.toml").read_text())))
    for pins in (*PINS, oldest):
        # Nothing is resolved: what is asked about is what stands there.
        asked = _run(tool, "--requirement", pins, "--no-deps", "--disable-pip", "--format", "json")
        name = "the floors of pyproject.toml" if pins == oldest else str(pins.relative_to(ROOT))
        try:
            found = of_pip_audit(asked)
        except ValueError:
            yield name, "pip-audit has no answer"
            return
        yield name, found
        if not found.known:  # nor will it have any on the others
            return


def of_node(folder: Path) -> Iterator[tuple[str, Findings | str]]:
    """Look up the packages of the test programs for Node."""
    package = ROOT / "tests" / "clients" / "package.json"
    (folder / package.name).write_bytes(package.read_bytes())
    try:
        _run("npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", folder=folder)
        yield str(package.relative_to(ROOT)), of_npm_audit(_run("npm", "audit", "--json", folder=folder))
    except (OSError, ValueError) as error:
        yield str(package.relative_to(ROOT)), f"npm has no answer ({error})"


def told(name: str, found: Findings | str) -> str:
    """Return one line on a list of pins."""
    if isinstance(found, str):
        return f"{name}: not checked: {found}"
    if not found.known:
        return f"{name}: not checked: the registry in reach has no advisories on any of its {found.unknown} packages"
    unknown = f", {found.unknown} could not be looked up" if found.unknown else ""
    return f"{name}: {len(found.holes)} known holes in {found.known} packages{unknown}"


def _run(*argv: str | Path, folder: Path = ROOT) -> str:
    # Both tools end with an error where there are holes; what they print decides.
    return subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, timeout=_DEADLINE, check=False
    ).stdout


def main() -> None:
    """The command line."""
    holes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            for what, found in (*of_python(pip_audit(), folder), *of_node(folder)):
                print(told(what, found), flush=True)
                holes += [] if isinstance(found, str) else found.holes
        except (SetUpError, subprocess.TimeoutExpired) as error:
            print(f"not checked: {error}")
    for hole in sorted(set(holes)):
        print(hole)
    sys.exit(1 if holes else 0)


if __name__ == "__main__":
    main()
