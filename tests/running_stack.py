"""`spanloom up` on free ports, in a process of its own, ready when the block is entered."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from spanloom.local.ports import free_port
from tests.fixtures_local import Process

PARTS = ("kafka", "clickhouse", "otlp-grpc", "otlp-http", "dashboard")


class Up(Process):
    """The local stack, with its sample unless the options say otherwise.

    Args:
        data: its folder; its output goes to a file beside it.
        options: of `spanloom up`.
        command: how `spanloom` is run; as a module of this checkout, unless told.
        env: the environment of the command; this process's own, unless told.
        folder: in which it runs.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        command: Sequence[str] = (sys.executable, "-m", "spanloom"),
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.ports = {part: free_port() for part in PARTS}
        self.data = data
        ports = (word for part, port in self.ports.items() for word in (f"--{part}-port", str(port)))
        super().__init__(
            (*command, "up", "--data", str(data), *options, *ports),
            lambda: "Ctrl-C stops everything" in self.log,
            data.with_suffix(".log"),
            env,
            folder,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGINT)

    def url(self, part: str) -> str:
        """The address of a part."""
        return f"http://127.0.0.1:{self.ports[part]}"
