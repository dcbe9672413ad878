"""What README.md shows under "Asking" is run, word for word but for ports and paths, and answers with the sample."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.clients.running import Stack
from tests.environments import ROOT
from tests.fixtures_local import wait_until

pytestmark = [pytest.mark.clients, pytest.mark.stack]

_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def asking() -> tuple[str, str]:
    """Return the two blocks of the section: for curl, and for the command line."""
    section = (ROOT / "README.md").read_text().partition("\n## Asking\n")[2].partition("\n## ")[0]
    over_http, commands = _SHELL.findall(section)
    return over_http, commands


def run(script: str, stack: Stack) -> str:
    """Run a script in the project's folder and return what it prints; it must end well, without a complaint."""
    spanloom = f"{sys.executable} -m spanloom"
    script = script.replace(".venv/bin/spanloom", spanloom).replace(":8123", f":{stack.clickhouse_port}")
    environment = {
        **os.environ,
        "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{stack.kafka_port}",
        "SPANLOOM_CLICKHOUSE__URL": f"http://127.0.0.1:{stack.clickhouse_port}",
        "COLUMNS": "160",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def with_sample(stack: Stack) -> Stack:
    """The stack with the session that README.md asks for, as `make run` sends it."""
    run(".venv/bin/spanloom send spanloom/samples/py-lmnr --retime", stack)
    wait_until(lambda: [row["trace_count"] for row in stack.session("conv-1")] == [5], "all traces of conv-1")
    return stack


def test_sql_over_http_answers(with_sample: Stack) -> None:
    over_http, _ = asking()
    answer = run(over_http, with_sample)
    assert re.search(r"\bconv-1\b.*\b5\b.*\b1400\b", answer), answer
    assert answer.count("\ninput: ") == 5, answer
    assert "Where is my order 1234?" in answer


def test_the_commands_answer(with_sample: Stack) -> None:
    _, commands = asking()
    for command in commands.splitlines():
        answer = run(command, with_sample)
        assert answer.strip(), command
        if " replay " in command:
            assert re.fullmatch(r"sent .* spans of .* traces again\n", answer), answer
        elif "--unpriced" not in command:
            assert "conv-1" in answer, f"{command}\n{answer}"
