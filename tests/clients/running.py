"""What the clients send to: the local stack as `spanloom up` runs it, and receivers with keys."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from spanloom.local.ports import free_port
from tests.clients.cases import SESSION, Case
from tests.clients.environments import javascript_sdks, python_sdks
from tests.fixtures_local import Process, wait_until

Row = dict[str, Any]

_LONGEST_RUN = 60.0  # seconds; a client that is refused must not try for ever

_SESSION = """
    SELECT project_id, user_id, trace_count, span_count, llm_call_count, input_tokens, output_tokens, models
    FROM sessions WHERE session_id = {session:String}
"""


@dataclass(frozen=True)
class Ran:
    """How a program ended, and all that it has printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Receiver:
    """A receiver's ports."""

    grpc_port: int
    http_port: int
    web_port: int = 0

    def run(
        self,
        case: Case,
        session: str,
        folder: Path,
        *,
        edits: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a client's program, edited as a developer would, and wait for its end."""
        nowhere = str(free_port())
        ports = {
            "4317": str(self.grpc_port) if case.transport == "grpc" else nowhere,
            "4318": str(self.http_port) if case.transport == "http" else nowhere,
        }
        text = case.path.read_text()
        for old, new in {**case.edits, **(edits or {}), SESSION: session}.items():
            assert old in text, f"{case.program} does not have {old}"
            text = text.replace(old, new)
        text = _at_ports(text, ports)
        program = folder / f"{session}{case.path.suffix}"
        program.write_text(text)
        done = subprocess.run(
            [*_interpreter(case, folder), str(program)],
            env={
                **_clean_environment(),
                **{name: _at_ports(value, ports) for name, value in case.environment.items()},
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LONGEST_RUN,
            check=False,
        )
        print(
            program.name, "ended with", done.returncode, done.stdout
        )  # for a test that fails: some SDKs tell it only here
        return Ran(done.returncode, done.stdout)

    def metric(self, name: str) -> float:
        """Return the value of a metric, by its name with labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.rsplit(" ", 1)[0] == name)


def _at_ports(text: str, ports: Mapping[str, str]) -> str:
    return re.sub("431[78]", lambda port: ports[port[0]], text)


def _interpreter(case: Case, folder: Path) -> list[str]:
    if not case.is_javascript:
        return [str(python_sdks()), "-I"]
    modules = folder / "node_modules"  # where Node.js looks for packages
    if not modules.exists():
        modules.symlink_to(javascript_sdks() / "node_modules")
    return ["node"]


def _clean_environment() -> dict[str, str]:
    """The environment without what SDKs, or spanloom, would read from it."""
    names = re.compile(r"(?i)(SPANLOOM|OTEL|LMNR|LANGFUSE|TRACELOOP|PYTHON|NODE)_?|.*_proxy$")
    kept = {name: value for name, value in os.environ.items() if not names.match(name)}
    return {**kept, "TRACELOOP_TELEMETRY": "false"}  # nobody wants to know how our tests use an SDK


class Stack(Process):
    """`spanloom up --no-sample` on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka_port, self.clickhouse_port = free_port(), free_port()
        self.receiver = Receiver(free_port(), free_port())
        ports = {
            "kafka": self.kafka_port,
            "clickhouse": self.clickhouse_port,
            "otlp-grpc": self.receiver.grpc_port,
            "otlp-http": self.receiver.http_port,
        }
        argv = [sys.executable, "-m", "spanloom", "up", "--no-sample", "--data", str(folder / "data")]
        argv += [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
        super().__init__(
            tuple(argv), lambda: "spanloom is ready" in self.log, folder / "up.log", _clean_environment()
        )

    def keyed_receiver(self, keys_file: Path) -> tuple[Process, Receiver]:
        """Return a further receiver, to be started, which asks for the keys of a file."""
        receiver = Receiver(free_port(), free_port(), free_port())
        own = {
            "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{self.kafka_port}",
            "SPANLOOM_RECEIVER__GRPC_PORT": str(receiver.grpc_port),
            "SPANLOOM_RECEIVER__HTTP_PORT": str(receiver.http_port),
            "SPANLOOM_RECEIVER__WEB_PORT": str(receiver.web_port),
            "SPANLOOM_RECEIVER__KEYS_FILE": str(keys_file),
        }
        process = Process(
            (sys.executable, "-m", "spanloom", "receiver"),
            lambda: _answers(f"http://127.0.0.1:{receiver.web_port}/ready"),
            self.folder / "receiver.log",
            {**_clean_environment(), **own},
        )
        return process, receiver

    def session(self, session: str) -> list[Row]:
        """Return a session's row in the view `sessions`, one for each project that has it."""
        return self.ask(_SESSION, session)

    def ask(self, query: str, session: str) -> list[Row]:
        """Return the rows of a query about `{session:String}`."""
        parameters = {
            "database": "spanloom",
            "default_format": "JSONEachRow",
            "output_format_json_quote_64bit_integers": "0",
            "param_session": session,
        }
        url = f"http://127.0.0.1:{self.clickhouse_port}/?{urlencode(parameters)}"
        with urllib.request.urlopen(url, query.encode(), timeout=60) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def wait_for_session(self, session: str, expected: Row) -> None:
        """Wait until a session's row is this one."""
        found: list[Row] = []

        def is_there() -> bool:
            nonlocal found
            found = self.session(session)
            return found == [expected]

        try:
            wait_until(is_there, f"session {session} to be {expected}")
        except BaseException:
            print(f"session {session} is {found}")
            for log in sorted((self.folder / "data" / "log").glob("worker-*.log")):
                print(log.name, *log.read_text().splitlines()[-40:], sep="\n")
            raise


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def two_turns(case: Case, project: str = "default") -> Row:
    """The session that each program's two turns are."""
    return {
        "project_id": project,
        "user_id": "alice",
        "trace_count": 2,
        "span_count": case.spans,
        "llm_call_count": 2,
        "input_tokens": 200,
        "output_tokens": 80,
        "models": ["gpt-4o-mini"],
    }
