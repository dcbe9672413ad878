"""The stack starts in order, survives its parts, and stops: with a stub for the spanloom commands."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spanloom.local import stack as stack_module
from spanloom.local.ports import Ports, free_port
from spanloom.local.stack import LocalStack, StackOptions
from spanloom.local.supervisor import Backoff, SupervisorError

pytestmark = pytest.mark.stack

# Stands for `python -m spanloom`: notes each call in a file; as a part, it answers /ready until SIGTERM.
_STUB = """
import http.server, json, os, signal, sys, threading
calls, command = sys.argv[1], sys.argv[2]
env = {k: v for k, v in os.environ.items() if k.startswith("SPANLOOM_")}
def note(what):
    with open(calls, "a") as file:
        file.write(json.dumps({"what": what, "env": env}) + "\\n")
note(command)
if command in ("worker", "receiver", "dashboard"):
    name = env.get("SPANLOOM_WORKER__NAME", command)
    port = int(env[f"SPANLOOM_{command.upper()}__WEB_PORT"])
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/ready" else 404)
            self.end_headers()
        def log_message(self, *_):
            pass
    server = http.server.HTTPServer(("127.0.0.1", port), Ready)
    def stop(*_):
        note("stopped " + name)
        threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()
"""


# A stack whose parts are stubs, in a process of its own: its folder, the stub, the probes' ports, its ports.
_STACK = """
import asyncio, sys
from pathlib import Path
from spanloom.local import stack
folder, stub, *ports = sys.argv[1:]
probes, own = map(int, ports[:3]), map(int, ports[3:])
stack.FIRST_WEB_PORT, stack.RECEIVER_WEB_PORT, stack.DASHBOARD_WEB_PORT = probes
names = ("kafka_port", "clickhouse_port", "otlp_grpc_port", "otlp_http_port", "dashboard_port")
commands = (sys.executable, "-c", stub, folder + ".calls")
options = stack.StackOptions(data=Path(folder), spanloom=commands, **dict(zip(names, own)))
asyncio.run(stack.LocalStack(options, lambda line: print(line, flush=True)).run())
"""


@pytest.fixture(autouse=True)
def probes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that run at the same time would choose the same usual ports."""
    for name in ("FIRST_WEB_PORT", "RECEIVER_WEB_PORT", "DASHBOARD_WEB_PORT"):
        monkeypatch.setattr(f"spanloom.local.stack.{name}", free_port())


class Run:
    """One run of the stack inside the test's own event loop."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.calls_file = folder / "calls"
        self.lines: list[str] = []
        self.folder = folder / "data"
        self.options = StackOptions(
            data=self.folder,
            **{
                "kafka_port": free_port(),
                "clickhouse_port": free_port(),
                "otlp_grpc_port": free_port(),
                "otlp_http_port": free_port(),
                "dashboard_port": free_port(),
                "spanloom": (sys.executable, "-c", _STUB, str(self.calls_file)),
                "backoff": Backoff(first=0.05),
                **options,
            },
        )

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]

    @property
    def whats(self) -> list[str]:
        return [call["what"] for call in self.calls]

    def pid(self, part: str) -> int:
        return int((self.folder / "run" / f"{part}.pid").read_text())

    async def until_printed(self, line: str) -> None:
        async with asyncio.timeout(60):
            while line not in self.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def during(self, scenario: Callable[[], Any]) -> None:
        """Run the stack until it is ready and `scenario` has ended, then stop it as Ctrl-C would."""
        running = asyncio.create_task(LocalStack(self.options, self.lines.append).run())
        try:
            waiting = asyncio.create_task(self.until_printed("spanloom is ready"))
            await asyncio.wait((waiting, running), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await scenario()
        finally:
            if not running.done():
                os.kill(os.getpid(), signal.SIGINT)
            await running


def test_everything_starts_in_order_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    run = Run(tmp_path, workers=2)

    async def scenario() -> None:
        names = {path.stem for path in (run.folder / "run").glob("*.pid")}
        assert names == {"broker", "clickhouse", "worker-0", "worker-1", "receiver", "dashboard"}

    asyncio.run(run.during(scenario))
    assert set(run.whats[:2]) == {"topics", "migrate"}
    assert sorted(run.whats[2:6]) == ["dashboard", "receiver", "worker", "worker"]
    parts = ("worker-0", "worker-1", "receiver", "dashboard")
    assert set(run.whats[6:]) == {f"stopped {part}" for part in parts}
    workers = [call["env"] for call in run.calls if call["what"] == "worker"]
    env = workers[0]
    assert env["SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"] == run.options.bootstrap_servers
    assert env["SPANLOOM_CLICKHOUSE__URL"] == run.options.clickhouse_url
    assert env["SPANLOOM_KAFKA__SESSION_TIMEOUT"] == "6"
    assert {env["SPANLOOM_WORKER__NAME"] for env in workers} == {"worker-0", "worker-1"}
    assert workers[0]["SPANLOOM_WORKER__WEB_PORT"] != workers[1]["SPANLOOM_WORKER__WEB_PORT"]
    (receiver,) = (call["env"] for call in run.calls if call["what"] == "receiver")
    assert receiver["SPANLOOM_RECEIVER__GRPC_PORT"] == str(run.options.otlp_grpc_port)
    assert receiver["SPANLOOM_RECEIVER__HTTP_PORT"] == str(run.options.otlp_http_port)
    (dashboard,) = (call["env"] for call in run.calls if call["what"] == "dashboard")
    assert dashboard["SPANLOOM_DASHBOARD__PORT"] == str(run.options.dashboard_port)
    assert dashboard["SPANLOOM_DASHBOARD__OTLP_URL"].endswith(f":{run.options.otlp_http_port}")
    assert dashboard["SPANLOOM_CLICKHOUSE__URL"] == run.options.clickhouse_url
    assert run.lines == ["spanloom is ready", "stopping"]
    assert not list((run.folder / "run").glob("*.pid"))


def test_nobody_else_on_the_machine_can_read_what_it_keeps(tmp_path: Path) -> None:
    run = Run(tmp_path)
    (run.folder / "log").mkdir(parents=True)
    (run.folder / "log" / "worker-0.log").write_text("of an earlier version")
    (run.folder / "log" / "worker-0.log").chmod(0o644)

    async def scenario() -> None:
        for folder in ("run", "log", "clickhouse"):
            assert stat.S_IMODE((run.folder / folder).stat().st_mode) == 0o700, folder
        # A process ID is nobody's secret, and an old log lies in a closed folder.
        kept = [
            path for path in run.folder.rglob("*") if path.is_file() and path.suffix not in (".pid", ".1")
        ]
        assert {path for path in kept if path.stat().st_mode & 0o077} == set()
        assert {"clickhouse", "log"} <= {path.relative_to(run.folder).parts[0] for path in kept}

    asyncio.run(run.during(scenario))


def test_when_the_broker_dies_topics_come_before_whatever_uses_them(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario() -> None:
        os.kill(run.pid("broker"), signal.SIGKILL)
        await run.until_printed("spanloom is ready again")

    asyncio.run(run.during(scenario))
    whats = run.whats[5:]
    assert set(whats[:2]) == {"stopped worker-0", "stopped receiver"}
    assert whats[2] == "topics"
    assert set(whats[3:5]) == {"worker", "receiver"}
    assert set(whats[5:]) == {"stopped worker-0", "stopped receiver", "stopped dashboard"}
    assert run.lines == [
        "spanloom is ready",
        "broker died (signal 9); starting it again in 0.1 s",
        "the broker's memory is lost: stopping the workers and the receiver until it is back",
        "spanloom is ready again",
        "broker is back",
        "stopping",
    ]


@pytest.mark.parametrize("part", ["clickhouse", "worker-0", "receiver", "dashboard"])
def test_another_part_that_dies_comes_back_alone(tmp_path: Path, part: str) -> None:
    run = Run(tmp_path)

    async def scenario() -> None:
        names = {"broker", "clickhouse", "worker-0", "receiver", "dashboard"}
        others = {name: run.pid(name) for name in names - {part}}
        os.kill(run.pid(part), signal.SIGKILL)
        await run.until_printed(f"{part} is back")
        assert all(run.pid(name) == pid for name, pid in others.items())

    asyncio.run(run.during(scenario))


def test_what_comes_after_ready_runs_on_the_running_stack(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def after_ready(stack: LocalStack) -> None:
        await stack.command("send", "send", "--retime", "SAMPLES")
        os.kill(os.getpid(), signal.SIGTERM)

    asyncio.run(LocalStack(run.options, run.lines.append, after_ready).run())
    assert "send" in run.whats
    assert (run.folder / "log" / "send.log").exists()


@pytest.mark.parametrize(
    ("option", "flag"),
    [
        ("kafka_port", "--kafka-port"),
        ("clickhouse_port", "--clickhouse-port"),
        ("otlp_grpc_port", "--otlp-grpc-port"),
        ("otlp_http_port", "--otlp-http-port"),
        ("dashboard_port", "--dashboard-port"),
    ],
)
def test_a_taken_port_is_named_with_the_option_that_changes_it(
    tmp_path: Path, option: str, flag: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = Run(tmp_path, **{option: port})
        with pytest.raises(SupervisorError, match=f"Port {port}, .* is taken; .* with {flag}"):
            asyncio.run(LocalStack(run.options, run.lines.append).run())


def test_ports_that_another_stack_has_chosen_are_left_to_it_before_it_listens_there(tmp_path: Path) -> None:
    other = Ports()
    names = ("FIRST_WEB_PORT", "RECEIVER_WEB_PORT", "DASHBOARD_WEB_PORT")
    probes = {getattr(stack_module, name) for name in names}
    kafka = free_port()
    assert all(other.claim(port) for port in (*probes, kafka))
    refused = Run(tmp_path, kafka_port=kafka)
    with pytest.raises(SupervisorError, match=f"Port {kafka}, meant for the broker, is taken"):
        asyncio.run(refused.during(lambda: refused.until_printed("spanloom is ready")))
    run = Run(tmp_path)
    asyncio.run(run.during(lambda: run.until_printed("spanloom is ready")))
    chosen = {
        int(call["env"][f"SPANLOOM_{call['what'].upper()}__WEB_PORT"])
        for call in run.calls
        if call["what"] in ("worker", "receiver", "dashboard")
    }
    assert len(chosen) == 3
    assert chosen.isdisjoint(probes)
    # Once it has stopped, all its ports can be chosen.
    assert all(other.claim(port) for port in (*chosen, run.options.kafka_port))
    other.release()


def test_two_stacks_started_at_once_are_both_ready(tmp_path: Path) -> None:
    probes = [str(free_port()) for _ in range(3)]
    stacks = []
    for name in ("one", "other"):
        ports = [str(free_port()) for _ in range(5)]
        argv = [sys.executable, "-c", _STACK, str(tmp_path / name), _STUB, *probes, *ports]
        stacks.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
    try:
        for stack in stacks:
            assert stack.stdout is not None
            assert stack.stdout.readline() == "spanloom is ready\n"
    finally:
        for stack in stacks:
            stack.send_signal(signal.SIGINT)
    assert [stack.communicate(timeout=60)[0] for stack in stacks] == ["stopping\n"] * 2


def test_a_failing_set_up_stops_everything_and_says_why(tmp_path: Path) -> None:
    run = Run(tmp_path, spanloom=(sys.executable, "-c", "exit('the reason')"))
    with pytest.raises(SupervisorError, match=r"(topics|migrate) failed: the reason \(log: .*\)"):
        asyncio.run(LocalStack(run.options, run.lines.append).run())
    assert not list((run.folder / "run").glob("*.pid"))


def test_a_stop_during_the_start_stops_what_has_started(tmp_path: Path) -> None:
    run = Run(tmp_path, spanloom=(sys.executable, "-c", "import time; time.sleep(600)"))

    async def scenario() -> None:
        running = asyncio.create_task(LocalStack(run.options, run.lines.append).run())
        async with asyncio.timeout(60):
            while not (run.folder / "log" / "topics.log").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(scenario())
    assert not list((run.folder / "run").glob("*.pid"))
