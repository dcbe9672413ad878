"""A part's log file, and the few of its lines that belong on the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_ALARMING = re.compile(r"\b(WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NUMBERS = re.compile(r"\d+")

# Characters of a line that are shown on the terminal; the log has all of it.
_SHOWN = 200


class PartLog:
    """Appends a part's output to `path` and hands alarming lines to `say`, each kind once in a row.

    The log of the run before is kept as `NAME.log.1`.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        self._last_shown = ""
        self._partial = b""
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        self._file = path.open("ab", buffering=0)
        path.chmod(0o600)
        self.last_line = ""

    def write(self, chunk: bytes) -> None:
        """Take what the part has printed, in chunks of any size."""
        self._file.write(chunk)
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        # A part that never ends its line must not fill the memory.
        if len(self._partial) > 1 << 20:
            lines, self._partial = [*lines, self._partial], b""
        for line in lines:
            self._look_at(_COLOURS.sub("", line.decode("utf-8", "replace")).strip())

    def close(self) -> None:
        """End the file."""
        if self._partial:
            self._look_at(self._partial.decode("utf-8", "replace").strip())
        self._file.close()

    def _look_at(self, line: str) -> None:
        if line:
            self.last_line = line[:_SHOWN]
        if not _ALARMING.search(line):
            return
        kind = _NUMBERS.sub("", line)  # the same message at another time is the same kind
        if kind != self._last_shown:
            self._last_shown = kind
            self._say(line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…")
