"""`spanloom up` from the wheel, in a folder whose own packages have the same names."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from spanloom.local.ports import port_is_free
from tests.running_stack import Up
from tests.wheel.environment import FOLDER, Environment, clean_environment

pytestmark = [pytest.mark.wheel, pytest.mark.stack]


@pytest.fixture(scope="module")
def installed(environment: Environment) -> Iterator[Environment]:
    """spanloom is installed, and the SDK too."""
    environment.uninstall("spanloom", "openai-agents")
    environment.install("spanloom")
    environment.install("openai-agents")
    yield environment
    environment.uninstall("spanloom", "openai-agents")


class Installed(Up):
    """`spanloom up` as it was installed from the wheel."""

    def __init__(self, folder: Path, data: Path, *options: str) -> None:
        command = (str(FOLDER / "bin" / "spanloom"),)
        super().__init__(data, *options, command=command, env=clean_environment(), folder=folder)

    def get(self, part: str, path: str, body: bytes | None = None) -> str:
        """The answer of a part to a request, which must be 200."""
        with urllib.request.urlopen(self.url(part) + path, body, timeout=60) as answer:
            assert answer.status == 200
            text: str = answer.read().decode()
            return text

    def json(self, part: str, path: str, **parameters: str) -> Any:
        """The JSON of an answer."""
        return json.loads(self.get(part, f"{path}?{urlencode(parameters)}"))


@pytest.mark.usefixtures("installed")
def test_everything_runs_beside_folders_of_the_same_names(hostile: Path, tmp_path: Path) -> None:
    with Installed(hostile, tmp_path / "data") as up:
        assert "conv-1" in up.log  # the sample
        assert "conv-1" in up.get("dashboard", "/sessions")
        assert up.json("dashboard", "/api/session", id="conv-1")["trace_count"] == 5
        query = b"SELECT trace_count FROM sessions WHERE session_id = 'conv-1'"
        assert up.get("clickhouse", "/?database=spanloom", query) == "5\n"
        [advice] = [line for line in up.log.splitlines() if line.endswith("session conv-1")]
        shown = subprocess.run(
            ["sh", "-c", f"{advice} --json"], cwd=hostile, env=clean_environment(), capture_output=True, check=True
        ).stdout  # fmt: skip
        assert len(json.loads(shown)["traces"]) == 5
        assert up.stop(signal.SIGINT) == 0
    _ended_in_order(up)
    assert sorted(path.name for path in hostile.iterdir()) == ["agents", "schemas", "spanloom"]


@pytest.mark.usefixtures("installed")
def test_sigterm_ends_it_in_order(hostile: Path, tmp_path: Path) -> None:
    with Installed(hostile, tmp_path / "data", "--no-sample") as up:
        assert up.stop(signal.SIGTERM) == 0
    _ended_in_order(up)


def _ended_in_order(up: Up) -> None:
    assert up.log.splitlines()[-1] == "stopping"
    assert not list((up.data / "run").glob("*.pid"))
    assert all(port_is_free(port) for port in up.ports.values())
