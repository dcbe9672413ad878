"""The wheel and the source distribution, built of what `.dockerignore` lets into an image, and of nothing else."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from tests.environments import ROOT

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Built:
    """What was built, and of what.

    Attributes:
        source: a folder with all that a build gets to see.
        wheel: built of the source.
        wheel_of_sdist: built of the source distribution, as an installer does where it finds no wheel.
    """

    source: Path
    wheel: Path
    wheel_of_sdist: Path


def build(python: Path, folder: Path) -> Built:
    """Build everything in an empty folder, with a Python that has packages `build` and `setuptools`."""
    source = folder / "source"
    source.mkdir()
    for name in let_in():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=_LEFT_OUT)
        else:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    return Built(
        source,
        _built(python, source, folder / "direct", "--wheel"),
        _built(python, source, folder / "through-sdist"),
    )


def let_in() -> list[str]:
    """Return what `.dockerignore` lets in: it leaves everything out but the lines that begin with `!`."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def contents(wheel: Path) -> dict[str, int]:
    """Return the files in a wheel, each with its checksum."""
    with ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist() if not entry.is_dir()}


def checksum(file: Path) -> int:
    """Return a file's checksum, as `contents` has it."""
    return zlib.crc32(file.read_bytes())


def _built(python: Path, source: Path, folder: Path, *options: str) -> Path:
    # Of a copy: setuptools leaves a folder `build` behind, and what lies in it goes into the next wheel.
    copy = folder / "source"
    shutil.copytree(source, copy, symlinks=True)
    argv = [
        str(python),
        "-m",
        "build",
        "--no-isolation",
        *options,
        "--outdir",
        str(folder / "dist"),
        str(copy),
    ]
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel
