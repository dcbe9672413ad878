"""Writes the requirements of the image with the hash of every file that may be installed: `pin.py UV`.

The versions are those of constraints.txt. The hashes are of the wheels for Linux on x86-64 and arm64 and the
Dockerfile's Python, and of a source only where a wheel is missing, so that nothing is built unseen. What a source is
built with is pinned the same way, in build-requirements.txt. No file holds an address.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

IMAGE = Path(__file__).resolve().parent
DEPLOY = IMAGE.parent
ROOT = DEPLOY.parent

PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")

# What pyproject.toml asks for, and faust-streaming where it has no wheel: its [build-system].
BUILDING = ("setuptools", "setuptools-scm[toml]", "Cython")


def python_version() -> str:
    """Return the Python of the image, such as `3.12`."""
    (found,) = re.findall(
        r"^FROM python:(\d+\.\d+)-slim\b", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )
    return str(found)


def packages(uv: str, platform: str, *what: str, given: str = "") -> list[dict[str, Any]]:
    """Return each package with the files for a platform, as PEP 751 has them.

    Raises:
        subprocess.CalledProcessError: uv found no versions that fit together, or no index; it has said so.
    """
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, "pylock.toml")
        options = ["--python-version", python_version(), "--python-platform", platform, "--no-emit-index-url"]
        subprocess.run(
            [uv, "pip", "compile", "--quiet", *options, "-c", "constraints.txt", *what, "-o", lock],
            cwd=ROOT,
            input=given,
            text=True,
            check=True,
        )
        found: list[dict[str, Any]] = tomllib.loads(lock.read_text())["packages"]
    return found


def requirements(found: list[list[dict[str, Any]]]) -> str:
    """Return the packages of all platforms as pip reads them, with `--require-hashes`."""
    hashes: dict[str, set[str]] = {}
    for platform in found:
        for package in platform:
            files = package.get("wheels") or [package["sdist"]]
            pinned = hashes.setdefault(f"{package['name']}=={package['version']}", set())
            pinned.update(f"--hash=sha256:{file['hashes']['sha256']}" for file in files)
    lines = (" \\\n    ".join((requirement, *sorted(hashes[requirement]))) for requirement in sorted(hashes))
    return "\n".join(("# Written by pin.py: make constraints", *lines, ""))


def main() -> None:
    """The command line."""
    (uv,) = sys.argv[1:]
    image = [
        packages(uv, platform, "--extra", "dashboard", "--extra", "receiver", "pyproject.toml")
        for platform in PLATFORMS
    ]
    (IMAGE / "requirements.txt").write_text(requirements(image))
    building = [packages(uv, platform, "-", given="\n".join(BUILDING)) for platform in PLATFORMS]
    (IMAGE / "build-requirements.txt").write_text(requirements(building))


if __name__ == "__main__":
    main()
