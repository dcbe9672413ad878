"""Record JavaScript SDKs: `python -m tests.recordings.javascript [NAME...]`, all of them by default.

For each recording, a folder of `tests/recordings/js/`, in this order:

1. the packages that its `package.json` names, installed by npm in a folder of its own and kept for the next time;
2. the stand-in LLM server and the OTLP sink, each on a free port of loopback;
3. `program.mjs`, given their addresses by environment variables;
4. `tests/captures/NAME/`: the OTLP messages without the machine, and `truth.json`.

It needs Node.js 20 or newer, no account, and no network but the package registry.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.recordings import llm_server, otlp_sink
from tests.recordings.strip import strip
from tests.recordings.truth import Json, as_read, truth

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "js"
CAPTURES = HERE.parent / "captures"
SECONDS = 180
"""A program that takes longer hangs."""

TELL_OF_ERRORS = {"langfuse.observation.level": "ERROR", "ai.response.finishReason": "error"}
"""Attributes by which SDKs report an error that the span's status doesn't show."""


def installed(name: str, environments: Path) -> Path:
    """Return the folder with a recording's program and its packages, made anew where its package.json changed."""
    source, folder = PROGRAMS / name, environments / name
    wanted = (source / "package.json").read_text()
    there = folder / "package.json"
    if not there.exists() or there.read_text() != wanted or not (folder / "node_modules").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        there.write_text(wanted)
        npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, check=True, cwd=folder)
    shutil.copy(source / "program.mjs", folder)
    shutil.copy(PROGRAMS / "turns.mjs", environments)
    return folder


def lines(path: Path) -> list[Json]:
    """Return the JSON lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(folder: Path, name: str, scratch: Path) -> tuple[list[bytes], list[Json], list[Json]]:
    """Run a program; return the OTLP messages it sent, its turns, and the lines of the server's log."""
    calls, turns = scratch / "calls.jsonl", scratch / "turns.jsonl"
    calls.touch()
    received = otlp_sink.Received()
    llm, sink = llm_server.serve(calls), otlp_sink.serve(received)
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(scratch),
        "NO_PROXY": "127.0.0.1,localhost",
        **llm_server.client_variables(llm),
        "OTEL_SERVICE_NAME": name,
        "RECORDING_OTLP": f"http://127.0.0.1:{sink.server_port}",
        "RECORDING_CALLS": str(calls),
        "RECORDING_TURNS": str(turns),
    }
    try:
        program = ["node", "program.mjs"]
        subprocess.run(program, check=True, env=variables, cwd=folder, timeout=SECONDS)
    finally:
        llm.shutdown()
        sink.shutdown()
    messages = received.traces + [otlp_sink.protobuf_of(body) for body in received.json_traces]
    return messages, lines(turns), lines(calls)


def with_status(body: bytes) -> bytes:
    """The message with a status of error on each span that reports one by an attribute alone."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                if _tells_of_error(span):
                    span.status.code = Status.STATUS_CODE_ERROR
    return request.SerializeToString()


def _tells_of_error(span: Span) -> bool:
    return any(
        TELL_OF_ERRORS.get(attribute.key, "") == attribute.value.string_value != ""
        for attribute in span.attributes
    )


def record(name: str, environments: Path, captures: Path) -> None:
    """Run a program and write its recording."""
    folder = installed(name, environments)
    with tempfile.TemporaryDirectory() as scratch:
        received, turns, calls = run(folder, name, Path(scratch))
        paths = [scratch, str(HERE.parents[1]), str(environments), sys.base_prefix, str(Path.home())]
    messages = [strip(body, paths) for body in received]
    found = truth(name, turns, as_read(turns, calls), [with_status(body) for body in messages])
    written = captures / name
    shutil.rmtree(written, ignore_errors=True)
    written.mkdir(parents=True)
    for number, body in enumerate(messages):
        (written / f"{number:03}.otlp.pb").write_bytes(body)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (written / "truth.json").write_text(text + "\n", encoding="utf-8")
    print(f"{name}: {len(messages)} messages, {found['spans']} spans, {sum(map(len, messages))} bytes")


def main() -> None:
    """Record what was asked for."""
    names = sorted(folder.parent.name for folder in PROGRAMS.glob("*/program.mjs"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--captures", type=Path, default=CAPTURES, help="where to write (%(default)s)")
    parser.add_argument(
        "--environments", type=Path, default=Path(tempfile.gettempdir(), "spanloom-recordings-js")
    )
    options = parser.parse_args()
    for name in options.names or names:
        record(name, options.environments.resolve(), options.captures)


if __name__ == "__main__":
    main()
