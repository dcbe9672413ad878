"""One child process: how it is started, ended, and kept from outliving its supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def make_private(folder: Path) -> None:
    """Make a folder, with those around it, that nobody else on the machine can look into. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _death_signal() -> Callable[[], None] | None:
    """What a child runs before exec so that the kernel kills it when the supervisor dies (Linux only).

    Nothing else would: the children have sessions of their own, and `kill -9` leaves no time to signal them.
    The signal is bound to the *thread* that started the child, here the event loop's.
    """
    if not sys.platform.startswith("linux"):
        return None
    # Found before the fork: between fork and exec, only this one call may happen.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died in between, and the signal will not come
            os._exit(1)

    return arm


async def start_child(argv: Sequence[str], env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start a process in a session of its own (Ctrl-C in the terminal must not reach it), output piped.

    Raises `OSError` if the program can't be started.
    """
    return await asyncio.create_subprocess_exec(
        *argv,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_death_signal(),
    )


async def end_child(process: asyncio.subprocess.Process, deadline: float) -> bool:
    """SIGTERM, wait up to `deadline` seconds, then SIGKILL to its group. False if it had to be killed."""
    if process.returncode is not None:
        return True
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), deadline)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return False
    return True


def end_leftover(pid_file: Path, argv: Sequence[str]) -> bool:
    """End the process of a pid file that an earlier supervisor left behind; remove the file.

    Only where the kernel could not do it (see `_death_signal`). The process ID may long belong to
    somebody else, so it is ended only if its command line is exactly the part's. True if it was.
    """
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        pid = 0
    pid_file.unlink(missing_ok=True)
    if pid <= 1 or pid == os.getpid():
        return False
    if not _runs(pid, argv):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    return True


def _runs(pid: int, argv: Sequence[str]) -> bool:
    """Whether the process has exactly this command line."""
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes() == b"".join(os.fsencode(word) + b"\0" for word in argv)
        except OSError:
            return False
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() == " ".join(argv)
