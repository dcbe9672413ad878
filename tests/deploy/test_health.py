"""The health check of the image, asked about real processes: each part answers on a port of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanloom.commands.settings import load
from spanloom.health import WEB_PORTS, probe_url, running
from spanloom.local.ports import free_port
from tests.fixtures_local import Process, wait_until
from tests.integration import probes

# No Kafka and no ClickHouse: a receiver and a dashboard live without, and are asked by /ready whether they have them.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SPANLOOM_")}
NOBODY = {
    "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "SPANLOOM_CLICKHOUSE__URL": "http://127.0.0.1:1",
}


class Part:
    """A part that runs, and the environment that its container would have."""

    def __init__(self, name: str, folder: Path) -> None:
        self.web_port = free_port()
        ports = {"receiver": ("GRPC_PORT", "HTTP_PORT"), "dashboard": ("PORT",)}.get(name, ())
        self.environment = ENVIRONMENT | NOBODY
        self.environment |= {f"SPANLOOM_{name.upper()}__{port}": str(free_port()) for port in ports}
        self.environment[f"SPANLOOM_{name.upper()}__WEB_PORT"] = str(self.web_port)
        self.process = Process(
            (sys.executable, "-m", "spanloom", name),
            self.lives,
            folder / f"{name}.log",
            self.environment,
        )

    def lives(self) -> bool:
        """Whether it answers."""
        return probes.probe(self.web_port, "/live") == 200

    def health(self, *arguments: str, under: int | None = None) -> subprocess.CompletedProcess[str]:
        """Ask as the container's engine does."""
        return check(*arguments, under=under or self.process.pid, environment=self.environment)


def check(
    *arguments: str, under: int, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spanloom.health", *arguments, "--under", str(under)],
        env=environment or ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(params=["receiver", "dashboard", "forgetter"])
def part(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Part]:
    found = Part(request.param, tmp_path)
    with found.process:
        yield found


def test_the_part_that_runs_is_asked_where_it_answers(part: Part) -> None:
    asked = part.health()
    assert (asked.returncode, asked.stderr) == (0, "")
    ready = probes.probe(part.web_port, "/ready") == 200
    assert (part.health("ready").returncode == 0) == ready
    part.environment["http_proxy"] = "http://127.0.0.1:1"
    assert part.health().returncode == 0, "no proxy stands between a container and itself"


def test_an_init_before_it_changes_nothing(tmp_path: Path) -> None:
    part = Part("dashboard", tmp_path)
    # Its own arguments do not name the part.
    init = ("/bin/sh", "-c", 'eval "$COMMAND &"; trap "kill $!; wait $!" TERM; wait $!')
    command = {"COMMAND": f"{sys.executable} -m spanloom dashboard"}
    with Process(init, part.lives, tmp_path / "init.log", part.environment | command) as first:
        wait_until(lambda: part.health(under=first.pid).returncode == 0, "the dashboard to be healthy")


def test_a_part_that_does_not_answer_is_not_healthy() -> None:
    """A process with the right name, and nothing on its port."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "spanloom", "worker"], stdin=subprocess.PIPE
    ) as silent:
        asked = check(under=silent.pid, environment=ENVIRONMENT | {"SPANLOOM_WORKER__WEB_PORT": "1"})
    assert asked.returncode == 1
    assert asked.stderr.startswith("live: ")
    assert "Traceback" not in asked.stderr


def test_a_command_that_ends_by_itself_is_healthy_while_it_runs() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "/opt/spanloom/bin/spanloom", "migrate"], stdin=subprocess.PIPE
    ) as once:
        assert running(once.pid) == "migrate"
        assert check(under=once.pid).returncode == 0


def test_without_a_spanloom_nothing_is_healthy() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        asked = check(under=other.pid)
    assert (asked.returncode, asked.stderr) == (1, "no spanloom runs here\n")


@pytest.mark.parametrize("part", sorted(WEB_PORTS))
def test_ports_are_those_of_the_settings(part: str) -> None:
    assert WEB_PORTS[part] == getattr(load(), part).web_port


@pytest.mark.parametrize(
    ("host", "asked"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("fd00::7", "[fd00::7]"), ("10.1.2.3", "10.1.2.3")],
)
def test_it_asks_the_address_that_a_part_listens_on(host: str, asked: str) -> None:
    environment = {"SPANLOOM_WORKER__WEB_HOST": host}
    assert probe_url("worker", "live", environment) == f"http://{asked}:6066/live"
