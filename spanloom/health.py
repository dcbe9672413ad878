"""A container's health check: `python -m spanloom.health` asks the part that runs in it whether it is alive.

One image runs every part, so the part is read off the container's processes: the first one is spanloom, or an init
whose child it is. `python -m spanloom.health ready` asks whether the part is ready, `--under PID` looks below another
process. Nothing but the standard library is imported, for it runs every few seconds.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

WEB_PORTS = {"worker": 6066, "receiver": 6065, "dashboard": 6064, "forgetter": 6063}
"""The parts that answer probes, with their ports unless SPANLOOM_<PART>__WEB_PORT names another."""

_TIMEOUT = 4.0
"""Seconds that an answer may take: less than the five that Docker gives."""

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Where a part that listens everywhere is asked."""


def running(pid: int) -> str | None:
    """Return the command of the `spanloom` that is a process or one of its children, None where there is none."""
    for candidate in (pid, *_children(pid)):
        arguments = Path(f"/proc/{candidate}/cmdline").read_bytes().decode(errors="replace").split("\0")
        for program, command in pairwise(arguments):
            if os.path.basename(program) == "spanloom" and command:
                return command
    return None


def probe_url(part: str, path: str, environment: Mapping[str, str]) -> str:
    """Return where a part answers a probe, by the environment that it was started with."""
    prefix = f"SPANLOOM_{part.upper()}__WEB_"
    host = environment.get(f"{prefix}HOST", "127.0.0.1")
    host = _EVERY_ADDRESS.get(host, host)
    port = environment.get(f"{prefix}PORT", str(WEB_PORTS[part]))
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/{path}"


def check(path: str, pid: int) -> str | None:
    """Ask the part that runs under a process; return what is wrong, None if nothing is.

    A command that ends by itself, such as `migrate`, has no probes and is well while it runs.
    """
    try:
        part = running(pid)
        if part is None:
            return "no spanloom runs here"
        if part in WEB_PORTS:
            # No proxy from the environment: the part is in this container.
            ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            ask.open(probe_url(part, path, os.environ), timeout=_TIMEOUT).close()
    except OSError as error:
        return f"{path}: {error}"
    return None


def _children(pid: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name, which may hold anything: the state, then the parent (proc_pid_stat(5)).
            parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
        except OSError:  # it has ended
            continue
        if int(parent) == pid:
            yield int(folder.name)


def main() -> None:
    """The command line."""
    arguments = sys.argv[1:]
    path = "ready" if "ready" in arguments else "live"
    pid = int(arguments[arguments.index("--under") + 1]) if "--under" in arguments else 1
    if problem := check(path, pid):
        sys.exit(problem)


if __name__ == "__main__":
    main()
