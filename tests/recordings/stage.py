"""Where programs are recorded: the stand-in LLM server and the OTLP sink around one run, and what is kept of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.recordings import llm_server, otlp_sink
from tests.recordings.strip import strip
from tests.recordings.truth import Json, as_read, truth

HERE = Path(__file__).resolve().parent
CAPTURES = HERE.parent / "captures"
SECONDS = 180
"""A program that takes longer hangs."""


@dataclass
class Run:
    """What came of one run of a program."""

    messages: list[bytes]
    """What it exported, as it came."""
    turns: list[Json]
    calls: list[Json]
    other_paths: list[str]
    """Where else it posted to."""


def run(
    name: str, command: Sequence[str | Path], scratch: Path, variables: Mapping[str, str] | None = None
) -> Run:
    """Run a program in `scratch`, which is its home too, with the addresses in environment variables.

    `variables` are further ones.
    """
    calls, turns = scratch / "calls.jsonl", scratch / "turns.jsonl"
    calls.touch()
    received = otlp_sink.Received()
    llm, sink = llm_server.serve(calls), otlp_sink.serve(received)
    endpoint = f"http://127.0.0.1:{sink.server_port}"
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(scratch),
        "NO_PROXY": "127.0.0.1,localhost",
        **llm_server.client_variables(llm),
        "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "RECORDING_OTLP": endpoint,
        "RECORDING_CALLS": str(calls),
        "RECORDING_TURNS": str(turns),
        **(variables or {}),
    }
    try:
        subprocess.run(list(command), check=True, env=environment, cwd=scratch, timeout=SECONDS)
    finally:
        llm.shutdown()
        sink.shutdown()
    messages = received.traces + [otlp_sink.protobuf_of(body) for body in received.json_traces]
    return Run(messages, lines(turns), lines(calls), sorted({path for path, _ in received.others}))


def lines(path: Path) -> list[Json]:
    """Return the JSON lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def keep(name: str, found: Run, folders: Sequence[str], captures: Path) -> None:
    """Write a recording anew: the OTLP messages without the machine's `folders`, and `truth.json`."""
    messages = [strip(body, [*folders, str(HERE.parents[1]), str(Path.home())]) for body in found.messages]
    true = truth(name, found.turns, as_read(found.turns, found.calls), messages)
    written = captures / name
    shutil.rmtree(written, ignore_errors=True)
    written.mkdir(parents=True)
    for number, body in enumerate(messages):
        (written / f"{number:03}.otlp.pb").write_bytes(body)
    text = json.dumps(true, indent=1, ensure_ascii=False)
    (written / "truth.json").write_text(text + "\n", encoding="utf-8")
    size = sum(map(len, messages))
    print(f"{name}: {len(messages)} messages, {true['spans']} spans, {size} bytes", *found.other_paths)
