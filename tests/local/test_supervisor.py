"""The supervisor keeps real child processes running, and leaves none behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from spanloom.local.part_log import PartLog
from spanloom.local.supervisor import Backoff, Part, Supervisor, SupervisorError
from tests.fixtures_local import wait_until

FAST = Backoff(first=0.02, longest=0.1)

# Says that it runs, then sleeps; on SIGTERM it notes its name in the file `stops` and leaves.
_WELL_BEHAVED = """
import pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def stop(*_):
    with (folder / "stops").open("a") as stops:
        stops.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
(folder / (name + ".up")).touch()
print("running", flush=True)
while True:
    time.sleep(60)
"""


def script(text: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(text), *map(str, arguments))


def file_exists(path: Path) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return path.exists()  # noqa: ASYNC240

    return check


async def at_once() -> bool:
    return True


def well_behaved(folder: Path, name: str) -> Part:
    return Part(name, script(_WELL_BEHAVED, folder, name), file_exists(folder / f"{name}.up"))


def alive(pid: int) -> bool:
    """Running, and not a zombie that nobody has waited for."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() != "" and not listed.stdout.startswith("Z")


def pid_of(folder: Path, name: str) -> int:
    return int((folder / "run" / f"{name}.pid").read_text())


async def until(condition: Callable[[], bool], deadline: float = 20.0) -> None:
    async with asyncio.timeout(deadline):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_parts_stop_in_reverse_order_of_their_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Supervisor(tmp_path, lambda _: None, FAST) as supervisor:
            for name in ("first", "second", "third"):
                await supervisor.start(well_behaved(tmp_path, name))
            assert alive(pid_of(tmp_path, "second"))

    asyncio.run(scenario())
    assert (tmp_path / "stops").read_text().split() == ["third", "second", "first"]
    assert not list((tmp_path / "run").glob("*.pid"))


def test_a_part_that_dies_is_started_again_and_that_is_reported(tmp_path: Path) -> None:
    lines: list[str] = []

    async def scenario() -> None:
        async with Supervisor(tmp_path, lines.append, FAST) as supervisor:
            await supervisor.start(well_behaved(tmp_path, "part"))
            first = pid_of(tmp_path, "part")
            os.kill(first, signal.SIGKILL)
            await until(lambda: "part is back" in lines)
            assert pid_of(tmp_path, "part") != first
            assert alive(pid_of(tmp_path, "part"))

    asyncio.run(scenario())
    assert lines[0] == "part died (signal 9); starting it again in 0.0 s"


def test_restarts_come_slower_and_slower(tmp_path: Path) -> None:
    lines: list[str] = []

    async def scenario() -> None:
        async with Supervisor(tmp_path, lines.append, Backoff(first=0.1, longest=0.4)) as supervisor:
            await supervisor.start(Part("part", script("import time; time.sleep(0.05); exit(3)"), at_once))
            await until(lambda: len([line for line in lines if "died" in line]) == 4)

    asyncio.run(scenario())
    died = [line for line in lines if "died" in line]
    assert died[0] == "part died (exit code 3); starting it again in 0.1 s"
    assert [line.split()[-2] for line in died] == ["0.1", "0.2", "0.4", "0.4"]


def test_the_pause_is_bounded_however_often_a_part_dies() -> None:
    assert [Backoff(0.5, 30).pause(n) for n in (0, 1, 2, 6, 1000)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_what_depends_on_a_part_is_called_before_and_after_its_restart(tmp_path: Path) -> None:
    steps: list[str] = []

    async def scenario() -> None:
        async with Supervisor(tmp_path, steps.append, FAST) as supervisor:
            dependent = well_behaved(tmp_path, "dependent")

            async def before() -> None:
                await supervisor.stop("dependent")
                steps.append("dependent stopped")

            async def after() -> None:
                await supervisor.start(dependent)
                steps.append("dependent started")

            part = well_behaved(tmp_path, "part")
            await supervisor.start(
                Part(part.name, part.argv, part.ready, before_restart=before, after_restart=after)
            )
            await supervisor.start(dependent)
            os.kill(pid_of(tmp_path, "part"), signal.SIGKILL)
            await until(lambda: "part is back" in steps)
            assert alive(pid_of(tmp_path, "dependent"))

    asyncio.run(scenario())
    assert steps == [
        "part died (signal 9); starting it again in 0.0 s",
        "dependent stopped",
        "dependent started",
        "part is back",
    ]


@pytest.mark.parametrize(("own_deadline", "given"), [(0.2, None), (60.0, 0.2)])
def test_a_part_that_ignores_the_stop_is_killed(
    tmp_path: Path, own_deadline: float, given: float | None
) -> None:
    lines: list[str] = []
    stubborn = """
        import pathlib, signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pathlib.Path(sys.argv[1]).touch()
        while True: time.sleep(60)
    """

    async def scenario() -> int:
        up = tmp_path / "up"
        part = Part("part", script(stubborn, up), file_exists(up), stop_deadline=own_deadline)
        async with Supervisor(tmp_path, lines.append, FAST) as supervisor:
            await supervisor.start(part)
            pid = pid_of(tmp_path, "part")
            if given is not None:
                await supervisor.stop("part", given)
            return pid

    assert not alive(asyncio.run(scenario()))
    assert lines == ["part did not stop within 0 s and was killed"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (script("print('the reason'); exit(1)"), "part did not start: the reason"),
        (("/no/such/program",), "part can't be started: /no/such/program: No such file or directory"),
    ],
)
def test_a_part_that_does_not_start_is_one_sentence(
    tmp_path: Path, argv: tuple[str, ...], words: str
) -> None:
    async def never() -> bool:
        return False

    async def scenario() -> None:
        async with Supervisor(tmp_path, lambda _: None, FAST) as supervisor:
            await supervisor.start(Part("part", argv, never))

    with pytest.raises(SupervisorError, match=words):
        asyncio.run(scenario())


def test_a_part_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Supervisor(tmp_path, lambda _: None, FAST) as supervisor:
            argv = script(_WELL_BEHAVED, tmp_path, "part")
            await supervisor.start(Part("part", argv, file_exists(tmp_path / "never"), start_deadline=1.0))

    with pytest.raises(SupervisorError, match="part did not start: running"):
        asyncio.run(scenario())
    assert not list((tmp_path / "run").glob("*.pid"))


def test_a_command_runs_to_its_end_or_says_why_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Supervisor(tmp_path, lambda _: None, FAST) as supervisor:
            code = "import os; print(os.environ['GIVEN'])"
            await supervisor.run_once("good", script(code), {"GIVEN": "value"}, 20)
            with pytest.raises(SupervisorError, match="bad failed: the reason"):
                await supervisor.run_once("bad", script("exit('the reason')"), {}, 20)
            with pytest.raises(SupervisorError, match="slow took longer than 0 s"):
                await supervisor.run_once("slow", script("import time; time.sleep(60)"), {}, 0.2)

    asyncio.run(scenario())
    assert (tmp_path / "log" / "good.log").read_text() == "value\n"


def test_a_second_supervisor_of_the_same_folder_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Supervisor(tmp_path, lambda _: None, FAST):
            with pytest.raises(SupervisorError, match=r"Another `spanloom up` is running on .*--data"):
                await Supervisor(tmp_path, lambda _: None, FAST).__aenter__()
        async with Supervisor(tmp_path, lambda _: None, FAST):
            pass  # the first one is gone

    asyncio.run(scenario())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    async def scenario() -> None:
        await Supervisor(tmp_path / "file", lambda _: None).__aenter__()

    with pytest.raises(SupervisorError, match=r"can't be written \(.*\); .*--data"):
        asyncio.run(scenario())


def test_stale_pid_files_harm_nobody(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    argv = script(_WELL_BEHAVED, tmp_path, "leftover")
    leftover = subprocess.Popen(argv)
    try:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "part.pid").write_text(f"{bystander.pid}\n")
        (tmp_path / "run" / "leftover.pid").write_text(f"{leftover.pid}\n")
        (tmp_path / "run" / "garbage.pid").write_text("not a number")
        wait_until((tmp_path / "leftover.up").exists, "the leftover runs")
        (tmp_path / "leftover.up").unlink()

        async def scenario() -> None:
            async with Supervisor(tmp_path, lambda _: None, FAST) as supervisor:
                for name in ("part", "leftover", "garbage"):
                    await supervisor.start(well_behaved(tmp_path, name))

        asyncio.run(scenario())
        assert bystander.poll() is None
        assert leftover.wait(20) == -signal.SIGKILL
    finally:
        for process in (bystander, leftover):
            process.kill()
            process.wait()


_SUPERVISING = """
import asyncio, pathlib, sys
sys.path.insert(0, sys.argv[2])
from tests.local.test_supervisor import well_behaved
from spanloom.local.supervisor import Supervisor
async def main(folder):
    async with Supervisor(folder, print) as supervisor:
        await supervisor.start(well_behaved(folder, "a"))
        await supervisor.start(well_behaved(folder, "b"))
        (folder / "all.up").touch()
        await asyncio.Event().wait()
asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can tie a child to its parent")
def test_children_die_with_the_supervisor(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    supervisor = subprocess.Popen(script(_SUPERVISING, tmp_path, root), cwd=root)
    try:
        wait_until((tmp_path / "all.up").exists, "both parts run")
        children = [pid_of(tmp_path, name) for name in ("a", "b")]
        assert all(os.getsid(pid) == pid for pid in children)  # a Ctrl-C does not reach them
        supervisor.kill()
        supervisor.wait()
        wait_until(lambda: not any(alive(pid) for pid in children), "both parts died")
    finally:
        supervisor.kill()
        supervisor.wait()


def test_alarming_lines_reach_the_terminal_once_in_a_row_and_short(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / "part.log").write_text("the run before\n")
    log = PartLog(tmp_path / "part.log", lines.append)
    log.write(b"2026-01-01 INFO fine\n2026-01-01 \x1b[31mWAR")
    log.write(b"NING\x1b[0m lag 17\n2026-01-02 WARNING lag 18\nERROR " + b"x" * 500 + b"\nNO_ERRORS here\n")
    log.close()
    assert lines[0] == "2026-01-01 WARNING lag 17"
    assert lines[1].startswith("ERROR xxx")
    assert len(lines[1]) == 200
    assert len(lines) == 2
    assert "INFO fine" in (tmp_path / "part.log").read_text()
    assert (tmp_path / "part.log.1").read_text() == "the run before\n"
