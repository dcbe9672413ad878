"""Where a replay stands: in a file, so that it goes on there after whatever ended it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


class ProgressError(Exception):
    """The file can't be used; the message says what to do."""


@dataclass(slots=True)
class Progress:
    """What a replay has done. Traces or files are counted, whichever it goes by."""

    options: Mapping[str, str]
    """What it was asked for, as options of the command."""
    start: int
    """The range, nanoseconds since the epoch: options may count back from now, and now is when it began."""
    end: int
    after: list[str] = field(default_factory=list)
    """What names the last trace or file that is sent."""
    done: int = 0
    spans: int = 0
    left_out: int = 0
    """How many traces are not sent, as they count more spans than are stored."""
    forgotten: int = 0
    """How many spans of an archive are not sent, as their traces were forgotten on request."""
    finished: bool = False

    def save(self, path: Path) -> None:
        """Write it so that the file is always whole.

        Raises:
            ProgressError: it can't be written.
        """
        new = path.with_name(f"{path.name}.new")
        try:
            with new.open("w") as file:
                json.dump(asdict(self), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            raise ProgressError(f"{path} can't be written ({error.strerror}): name another file") from None


def resumed(path: Path, options: Mapping[str, str]) -> Progress | None:
    """Return what the file of a replay with these options says; None where there is no file yet.

    Raises:
        ProgressError: it is of another replay, or of none.
    """
    try:
        kept = Progress(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProgressError(f"{path} can't be read ({error.strerror}): name another file") from None
    except (ValueError, TypeError):
        raise ProgressError(f"{path} is not the file of a replay: name another one") from None
    if kept.options != dict(options):
        asked = " ".join(f"{name} {value}" for name, value in kept.options.items())
        raise ProgressError(f"{path} is of another replay ({asked}): name the same options, or another file")
    return kept
