"""A disk that is full under the local ClickHouse."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_INSERTS = 5000


@contextlib.contextmanager
def full(data: Path) -> Iterator[None]:
    """The data of every insert lies on a disk that is full: it goes through numbered files."""
    files = [data / "http_inserts" / f"{number}.bin" for number in range(_INSERTS)]
    for one in files:
        with contextlib.suppress(FileExistsError):  # an insert that is under way
            one.symlink_to("/dev/full")
    try:
        yield
    finally:
        for one in files:
            if one.is_symlink():
                one.unlink(missing_ok=True)
