"""Runs named child processes until it is stopped.

What it promises: each part's process ID is in `DIR/run/NAME.pid` and its output in `DIR/log/NAME.log`;
a part that dies is started again, with a growing pause; a stop ends the parts in reverse order of their
start; no part outlives the supervisor; one supervisor a folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from spanloom.local.child import end_child, end_leftover, make_private, start_child
from spanloom.local.part_log import PartLog

# Seconds between two looks at a part that is not ready yet.
_PROBE_PAUSE = 0.05


class SupervisorError(RuntimeError):
    """Something the user has to know; the message is one sentence that says what to do."""


async def no_action() -> None:
    """Nothing."""


@dataclass(frozen=True)
class Part:
    """A process to keep running.

    `ready` is called repeatedly until it returns True. `before_restart` runs after the part died and before
    it is started again, `after_restart` once it is ready again. All durations are seconds.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    env: Mapping[str, str] = field(default_factory=dict)
    start_deadline: float = 60.0
    stop_deadline: float = 10.0
    before_restart: Callable[[], Awaitable[None]] = no_action
    after_restart: Callable[[], Awaitable[None]] = no_action


@dataclass(frozen=True)
class Backoff:
    """The pause before the n-th restart in a row: `first` · 2ⁿ, at most `longest`; a part that was ready
    for `forgiven_after` starts from the first again. All in seconds."""

    first: float = 0.5
    longest: float = 30.0
    forgiven_after: float = 60.0

    def pause(self, restarts: int) -> float:
        return float(min(self.longest, self.first * 2 ** min(restarts, 16)))


@dataclass
class _Running:
    part: Part
    log: PartLog
    process: asyncio.subprocess.Process | None = None
    copying: asyncio.Task[None] | None = None  # the part's output, to its log
    keeping: asyncio.Task[None] | None = None  # waits for its death and starts it again


class Supervisor:
    """Use as `async with Supervisor(folder, say) as supervisor`; leaving the block stops every part.

    `say` gets one line at a time for the terminal. Entering raises `SupervisorError` if the folder
    can't be used or another supervisor holds it.
    """

    def __init__(self, folder: Path, say: Callable[[str], None], backoff: Backoff | None = None) -> None:
        self._folder = folder
        self._say = say
        self._backoff = backoff or Backoff()
        self._parts: dict[str, _Running] = {}  # in order of start
        self._logs: dict[str, PartLog] = {}
        self._lock_file: int | None = None
        self.failure: asyncio.Future[SupervisorError] | None = None

    async def __aenter__(self) -> Supervisor:
        try:
            if not self._folder.exists() or (self._folder / "run" / "lock").exists():
                make_private(self._folder)
            for name in ("run", "log"):
                make_private(self._folder / name)
            lock_file = os.open(self._folder / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SupervisorError(
                f"The folder {self._folder} can't be written ({error.strerror}); "
                "make it writable or choose another one with --data."
            ) from None
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock_file)
            raise SupervisorError(
                f"Another `spanloom up` is running on {self._folder}; "
                "stop it with Ctrl-C, or choose another folder with --data."
            ) from None
        self._lock_file = lock_file
        self.failure = asyncio.get_running_loop().create_future()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_all()
        for log in self._logs.values():
            log.close()
        if self._lock_file is not None:
            os.close(self._lock_file)  # and with it the lock

    async def start(self, part: Part) -> None:
        """Start a part and return when it is ready; from then on it is kept running.

        Raises `SupervisorError` if it dies or does not get ready within its deadline.
        """
        pid_file = self._pid_file(part.name)
        if pid_file.exists() and await asyncio.to_thread(end_leftover, pid_file, part.argv):
            self._say(f"{part.name}: ended a process that an earlier run left behind")
        running = _Running(part, self._log(part.name))
        self._parts[part.name] = running
        await self._launch(running)
        if not await self._until_ready(running):
            await self.stop(part.name)
            line = running.log.last_line or "it printed nothing"
            raise SupervisorError(f"{part.name} did not start: {line} (log: {self._log_path(part.name)})")
        running.keeping = asyncio.create_task(self._keep(running), name=f"keep {part.name}")

    async def stop(self, name: str, deadline: float | None = None) -> None:
        """Stop a part for good: SIGTERM, its deadline (or this one), SIGKILL. A part not running is fine."""
        running = self._parts.pop(name, None)
        if running is None:
            return
        if running.keeping is not None and running.keeping is not asyncio.current_task():
            running.keeping.cancel()
            await asyncio.gather(running.keeping, return_exceptions=True)
        seconds = running.part.stop_deadline if deadline is None else deadline
        if running.process is not None and not await end_child(running.process, seconds):
            self._say(f"{name} did not stop within {seconds:.0f} s and was killed")
        if running.copying is not None:
            await running.copying
        self._pid_file(name).unlink(missing_ok=True)

    async def stop_all(self) -> None:
        """Stop every part, the one started last first."""
        # First nobody may start anything anew, neither a part that dies now nor what depends on it.
        keeping = [running.keeping for running in self._parts.values() if running.keeping is not None]
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        while self._parts:
            await self.stop(next(reversed(self._parts)))

    async def run_once(self, name: str, argv: Sequence[str], env: Mapping[str, str], deadline: float) -> None:
        """Run a command to its end, output to `DIR/log/NAME.log`.

        Raises `SupervisorError` if it fails or takes longer than `deadline` seconds.
        """
        running = _Running(Part(name, argv, _always), self._log(name))
        process = await self._spawn(running, argv, env)
        try:
            code = await asyncio.wait_for(process.wait(), deadline)
        except TimeoutError:
            raise SupervisorError(
                f"{name} took longer than {deadline:.0f} s (log: {self._log_path(name)})"
            ) from None
        finally:
            await end_child(process, 5.0)
            if running.copying is not None:
                await running.copying
        if code != 0:
            raise SupervisorError(
                f"{name} failed: {running.log.last_line or _how(code)} (log: {self._log_path(name)})"
            )

    async def _keep(self, running: _Running) -> None:
        """Restart the part whenever it dies. Ends the supervisor with `failure` if that can't go on."""
        part, loop = running.part, asyncio.get_running_loop()
        restarts = 0
        ready_since = loop.time()
        while True:
            assert running.process is not None
            code = await running.process.wait()
            if loop.time() - ready_since > self._backoff.forgiven_after:
                restarts = 0
            pause = self._backoff.pause(restarts)
            restarts += 1
            self._say(f"{part.name} died ({_how(code)}); starting it again in {pause:.1f} s")
            self._pid_file(part.name).unlink(missing_ok=True)
            try:
                await part.before_restart()
                await asyncio.sleep(pause)
                await self._launch(running)
                if not await self._until_ready(running):
                    if running.process.returncode is None:
                        self._say(f"{part.name} does not get ready; stopping it")
                        await end_child(running.process, part.stop_deadline)
                    continue
                await part.after_restart()
            except SupervisorError as error:
                if running.process.returncode is not None:
                    continue  # it died again, and that is why
                self._fail(error)
                return
            ready_since = loop.time()
            self._say(f"{part.name} is back")

    async def _launch(self, running: _Running) -> None:
        if running.copying is not None:
            await running.copying
        process = await self._spawn(running, running.part.argv, running.part.env)
        running.process = process
        self._pid_file(running.part.name).write_text(f"{process.pid}\n")

    async def _spawn(
        self, running: _Running, argv: Sequence[str], env: Mapping[str, str]
    ) -> asyncio.subprocess.Process:
        try:
            process = await start_child(argv, env)
        except OSError as error:
            raise SupervisorError(
                f"{running.part.name} can't be started: {argv[0]}: {error.strerror}"
            ) from None
        running.copying = asyncio.create_task(_copy(process, running.log))
        return process

    async def _until_ready(self, running: _Running) -> bool:
        """True once the part is ready; False if it died or its deadline passed."""
        assert running.process is not None
        died = asyncio.create_task(running.process.wait())
        try:
            async with asyncio.timeout(running.part.start_deadline):
                while not died.done():
                    if await running.part.ready() and not died.done():
                        return True
                    await asyncio.wait((died,), timeout=_PROBE_PAUSE)
        except TimeoutError:
            pass
        finally:
            died.cancel()
        if running.process.returncode is not None and running.copying is not None:
            await running.copying  # so that its last line is known
        return False

    def _fail(self, error: SupervisorError) -> None:
        if self.failure is not None and not self.failure.done():
            self.failure.set_result(error)

    def _log(self, name: str) -> PartLog:
        if name not in self._logs:
            self._logs[name] = PartLog(self._log_path(name), lambda line: self._say(f"{name}: {line}"))
        return self._logs[name]

    def _log_path(self, name: str) -> Path:
        return self._folder / "log" / f"{name}.log"

    def _pid_file(self, name: str) -> Path:
        return self._folder / "run" / f"{name}.pid"


async def _always() -> bool:
    return True


async def _copy(process: asyncio.subprocess.Process, log: PartLog) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError):  # a full disk must not stop the part
        while chunk := await process.stdout.read(1 << 16):
            log.write(chunk)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
