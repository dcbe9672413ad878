"""The set-up of .venv by the real Makefile and scripts, of a small project: no network is asked for anything."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanloom.local.ports import free_port
from tests.deploy.small.backend import EXTRAS, wheel
from tests.docs.generated import ROOT
from tests.fixtures_local import wait_until

SMALL = Path(__file__).parent / "small"

# Of whoever runs the tests, but for what would change the set-up: they may run below `make test` themselves.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PIP_", "MAKE", "MFLAGS")) and name != "PYTHON"
}


class Project:
    """A copy of the small project, its packages in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.site = self.venv / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        self.packages = folder / "packages"
        self.environment = {
            **ENVIRONMENT,
            "PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
        }
        for name in ("pyproject.toml", "backend.py"):
            shutil.copy(SMALL / name, folder)
        for name in ("Makefile", "deploy/install.sh", "deploy/set_up.py"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for name in ("constraints.txt", "constraints-oldest.txt"):
            (folder / name).touch()
        self.packages.mkdir()
        for extra in EXTRAS:
            wheel(self.packages, f"for_{extra}")

    def make(
        self, target: str = "install", code: int = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run make to its end; its exit code must be `code`."""
        done = subprocess.run(
            ["make", target],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def makes(self) -> subprocess.Popen[str]:
        """Start `make install` in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            ["make", "install"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def makes_until_pip_builds(self) -> subprocess.Popen[str]:
        """Start `make install`, and return when pip is at work and waits."""
        (self.folder / "wait").touch()
        make = self.makes()
        wait_until((self.folder / "building").exists, "pip builds the project", 60)
        return make

    @property
    def installed(self) -> set[str]:
        """The extras whose packages can be imported."""
        return {extra for extra in EXTRAS if (self.site / f"for_{extra}.py").exists()}

    @property
    def stamps(self) -> set[str]:
        """The extras that are stamped."""
        return {path.name.removeprefix(".installed-") for path in self.venv.glob(".installed-*")}

    def is_whole(self) -> bool:
        """Whether nothing of an interruption is left: pip runs, the project and what is stamped are there."""
        pip: list[str | Path] = [self.venv / "bin" / "python", "-m", "pip", "check"]
        return (
            subprocess.run(pip, env=self.environment, capture_output=True, check=False).returncode == 0
            and any(self.site.glob("small-1.dist-info"))
            and self.installed == self.stamps != set()
            and not (self.venv / ".changing").exists()
        )

    def killed(self, make: subprocess.Popen[str], how: signal.Signals) -> str:
        """Send a signal to all of a set-up, as Ctrl-C in a terminal does, and return what it has printed at its end."""
        os.killpg(make.pid, how)
        printed, _ = make.communicate(timeout=120)
        (self.folder / "wait").unlink()
        return printed


@pytest.fixture(autouse=True)
def ctrl_c_reaches_children() -> Iterator[None]:
    """Whoever runs the tests in the background ignores Ctrl-C, and so would all that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project before its first set-up."""
    return Project(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with everything in it."""
    project = Project(tmp_path_factory.mktemp("whole"))
    project.make("dev")
    return project.venv


@pytest.fixture
def ready(project: Project, whole: Path) -> Project:
    """A project that was set up before with everything, and whose pins changed since."""
    shutil.copytree(whole, project.venv, symlinks=True)
    os.utime(project.folder / "pyproject.toml")
    return project


def test_each_target_adds_what_it_needs_with_one_line_of_progress(project: Project) -> None:
    line = "setting up .venv (the first time this takes a minute or two)\n"
    done = project.make("install")
    assert (done.stdout, done.stderr) == (line, "")
    assert project.installed == project.stamps == {"local"}
    assert project.make(".venv/.installed-test").stdout == line
    assert project.installed == project.stamps == {"local", "test"}
    assert project.make("dev").stdout == line
    assert project.installed == project.stamps == {"local", "test", "dev"}
    for target in ("install", ".venv/.installed-test", "dev"):
        assert "setting up" not in project.make(target).stdout
    assert project.is_whole()


@pytest.mark.parametrize(
    ("target", "extras"), [("run", "local"), ("test", "local,test"), ("check", "local,test,dev")]
)
def test_what_a_target_sets_up(target: str, extras: str) -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", target],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in planned.stdout.splitlines() if "install.sh" in line] == [
        f'PYTHON="python3" sh deploy/install.sh .venv {extras} constraints.txt'
    ]


def test_on_a_terminal_the_one_line_shows_the_present_step(ready: Project) -> None:
    terminal, end = pty.openpty()
    subprocess.run(["make", "install"], cwd=ready.folder, env=ready.environment, stdout=end, check=True)
    os.write(end, b"END")
    shown = b""
    while not shown.endswith(b"END"):
        shown += os.read(terminal, 1 << 16)
    os.close(terminal)
    os.close(end)
    assert shown.count(b"\n") == 1
    assert b"\r\x1b[Ksetting up .venv: installing\r" in shown
    assert shown.endswith(b": done\r\nEND")


class TestAnInterruptedSetUpIsMadeGoodByTheNext:
    """Some interrupt it, some leave behind what an interruption at that moment leaves."""

    def test_killed_before_the_environment_had_pip(self, project: Project) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", project.venv], check=True)
        project.make()
        assert project.is_whole()

    def test_killed_while_the_environment_was_made(self, project: Project) -> None:
        (project.venv / ".changing").mkdir(parents=True)
        (project.venv / "bin").mkdir()
        project.make()
        assert project.is_whole()

    def test_killed_while_pip_was_at_work(self, ready: Project) -> None:
        ready.killed(ready.makes_until_pip_builds(), signal.SIGKILL)
        assert ready.stamps == set()
        ready.make()
        assert ready.is_whole()

    def test_killed_while_pip_exchanged_packages(self, ready: Project) -> None:
        (ready.venv / ".changing").mkdir()
        (ready.venv / ".installed-local").rename(ready.venv / ".changing" / ".installed-local")
        (ready.site / "for_local.py").unlink()  # its metadata, by which pip knows it, stay
        ready.make()
        assert ready.is_whole()
        assert ready.stamps == {"local"}

    def test_ctrl_c_before_pip_has_changed_anything_costs_nothing(self, ready: Project) -> None:
        kept = ready.site / "kept"
        kept.touch()
        stamped = (ready.venv / ".installed-test").stat().st_mtime_ns
        assert "Traceback" not in ready.killed(ready.makes_until_pip_builds(), signal.SIGINT)
        assert ready.stamps == {"local", "test", "dev"}
        assert (ready.venv / ".installed-test").stat().st_mtime_ns == stamped
        ready.make()
        assert ready.is_whole()
        assert kept.exists()

    def test_pip_that_outlives_its_caller_is_waited_for(self, ready: Project) -> None:
        make = ready.makes_until_pip_builds()
        for pid in list(callers(make.pid)):
            os.kill(pid, signal.SIGKILL)
        with ready.makes() as again:
            assert again.stdout is not None
            first_line = again.stdout.readline()
            (ready.folder / "wait").unlink()
            again.communicate(timeout=120)
        make.communicate(timeout=120)
        assert first_line == "waiting for another set-up to end\n"
        assert again.returncode == 0
        assert ready.is_whole()

    def test_the_interpreter_that_it_was_made_with_is_gone(self, ready: Project) -> None:
        for path in (ready.venv / "bin").glob("python*"):
            path.unlink()
            path.symlink_to("/nowhere/python3")
        ready.make()
        assert ready.is_whole()


def test_two_at_once_take_turns(project: Project) -> None:
    both = [project.makes(), project.makes()]
    for make in both:
        make.communicate(timeout=120)
    assert [make.returncode for make in both] == [0, 0]
    assert project.is_whole()


def test_without_a_network_one_sentence_says_so(ready: Project) -> None:
    shutil.rmtree(ready.packages)
    (ready.site / "for_local.py").unlink()
    shutil.rmtree(ready.site / "for_local-1.dist-info")
    nobody = f"http://127.0.0.1:{free_port()}/simple"
    done = ready.make(code=2, PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL=nobody, PIP_RETRIES="0")
    sentence, from_make = done.stderr.splitlines()
    assert sentence == (
        "There is no network, or the package index can't be reached: check the connection, and the proxy or index that"
        " pip is configured with, then do the same again; .venv/pip.log has pip's output."
    )
    assert from_make.startswith("make: ***")
    assert "for_local" in (ready.venv / "pip.log").read_text()
    assert not (ready.venv / ".changing").exists()


def test_a_missing_wheel_is_named_and_what_was_there_stays(ready: Project) -> None:
    (ready.site / "for_test.py").unlink()
    shutil.rmtree(ready.site / "for_test-1.dist-info")
    (package,) = ready.packages.glob("for_test*")
    package.unlink()
    ready.make()
    done = ready.make(".venv/.installed-test", code=2)
    assert "No matching distribution found for for_test" in done.stderr
    assert "If a wheel is missing, this platform is not supported" in done.stderr
    assert "network" not in done.stderr
    assert "setting up" not in ready.make().stdout
    wheel(ready.packages, "for_test")
    ready.make(".venv/.installed-test")
    assert ready.installed == {"local", "test", "dev"}


def test_a_folder_of_somebody_else_is_left_alone(project: Project) -> None:
    project.venv.mkdir()
    (project.venv / "letters").touch()
    done = project.make(code=2)
    assert done.stderr.splitlines()[0] == "The folder .venv is no virtual environment: move it away."
    assert (project.venv / "letters").exists()


def test_a_folder_that_cannot_be_made_is_named(project: Project) -> None:
    project.venv.symlink_to("/proc/nothing")
    done = project.make(code=2)
    assert done.stderr.startswith("The folder .venv can't be set up: ")


@pytest.mark.parametrize("version", ["3.10.9", "3.15.0"])
def test_a_python_that_does_not_fit_is_refused(project: Project, version: str) -> None:
    stub = project.folder / "python"
    major, minor, _ = version.split(".")
    stub.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Python ' + version + '" && exit\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = ({major}, {minor}); $2"\n'
    )
    stub.chmod(0o755)
    done = project.make(code=2, PYTHON=str(stub))
    assert done.stderr.splitlines()[0] == (
        f"Python {version} does not fit: spanloom needs 3.11 to 3.14; name one with PYTHON=python3.12 make ..."
    )


def callers(pid: int) -> Iterator[int]:
    """A process and those below it, down to the one whose child is pip."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"\0-m\0pip\0" not in Path(f"/proc/{child}/cmdline").read_bytes():
            yield from callers(int(child))
