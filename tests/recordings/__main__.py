"""Record real SDKs: `python -m tests.recordings [NAME...]`, all of them by default.

For each recording, a folder of `tests/recordings/py/`, in this order:

1. an environment of its own with the versions in `requirements.txt`, kept for the next time;
2. the stand-in LLM server and the OTLP sink, each on a free port of loopback;
3. `program.py`, given their addresses by environment variables;
4. `tests/captures/py-NAME/`: the OTLP messages without the machine, and `truth.json`.

No account is needed, and no network but the package index.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.recordings import llm_server, otlp_sink
from tests.recordings.strip import strip
from tests.recordings.truth import truth

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "py"
CAPTURES = HERE.parent / "captures"
SECONDS = 180
"""A program that takes longer hangs."""


def environment(name: str, folder: Path) -> Path:
    """Return the interpreter of a recording's environment, made anew where its requirements changed."""
    requirements = PROGRAMS / name / "requirements.txt"
    wanted = requirements.read_text()
    installed = folder / name / "installed.txt"
    python = folder / name / "bin" / "python"
    if not installed.exists() or installed.read_text() != wanted:
        venv.create(folder / name, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        installed.write_text(wanted)
    return python


def lines(path: Path) -> list[llm_server.Json]:
    """Return the JSON lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def record(name: str, python: Path, captures: Path) -> None:
    """Run a program and write its recording."""
    with tempfile.TemporaryDirectory() as scratch:
        calls, turns = Path(scratch, "calls.jsonl"), Path(scratch, "turns.jsonl")
        calls.touch()
        received = otlp_sink.Received()
        llm, sink = llm_server.serve(calls), otlp_sink.serve(received)
        endpoint = f"http://127.0.0.1:{sink.server_port}"
        variables = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": scratch,
            "PYTHONPATH": str(PROGRAMS),
            "NO_PROXY": "127.0.0.1,localhost",
            **llm_server.client_variables(llm),
            "OTEL_SERVICE_NAME": name,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "RECORDING_OTLP": endpoint,
            "RECORDING_CALLS": str(calls),
            "RECORDING_TURNS": str(turns),
        }
        try:
            program = PROGRAMS / name / "program.py"
            subprocess.run([python, program], check=True, env=variables, cwd=scratch, timeout=SECONDS)
        finally:
            llm.shutdown()
            sink.shutdown()
        folders = [scratch, str(HERE.parents[1]), str(python.parents[1]), sys.base_prefix, str(Path.home())]
        messages = [strip(body, folders) for body in received.traces]
        found = truth(f"py-{name}", lines(turns), lines(calls), messages)
        written = captures / f"py-{name}"
        written.mkdir(parents=True, exist_ok=True)
        for old in written.iterdir():
            old.unlink()
        for number, body in enumerate(messages):
            (written / f"{number:03}.otlp.pb").write_bytes(body)
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (written / "truth.json").write_text(text + "\n", encoding="utf-8")
    size = sum(map(len, messages))
    others = sorted({path for path, _ in received.others})
    print(f"{name}: {len(messages)} messages, {found['spans']} spans, {size} bytes", *others)


def main() -> None:
    """Record what was asked for."""
    names = sorted(folder.parent.name for folder in PROGRAMS.glob("*/program.py"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--captures", type=Path, default=CAPTURES, help="where to write (%(default)s)")
    parser.add_argument(
        "--environments", type=Path, default=Path(tempfile.gettempdir(), "spanloom-recordings")
    )
    options = parser.parse_args()
    for name in options.names or names:
        record(name, environment(name, options.environments.resolve()), options.captures)


if __name__ == "__main__":
    main()
