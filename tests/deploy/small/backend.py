"""Builds the small project, and the packages that its extras need, of one empty module each.

A build waits as long as there is a file `wait` beside it, so that a test knows when to interrupt it.
"""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

EXTRAS = ("local", "test", "dev")


def build_editable(folder: str, *_: object) -> str:
    """What pip calls (PEP 660)."""
    Path("building").touch()
    while Path("wait").exists():
        time.sleep(0.01)
    return wheel(Path(folder), "small", EXTRAS)


def wheel(folder: Path, name: str, extras: tuple[str, ...] = ()) -> str:
    """Write a wheel, whose extra x needs the package for_x, and return its file name."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1"]
    for extra in extras:
        lines += [f"Provides-Extra: {extra}", f"Requires-Dist: for_{extra}; extra == '{extra}'"]
    path = folder / f"{name}-1-py3-none-any.whl"
    about = f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{about}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path.name
