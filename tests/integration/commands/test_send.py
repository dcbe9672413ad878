"""`spanloom send` on a real broker: lines, gzip, standard input, large files, and what it can't send."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.installation import Installation
from tests.integration.otlp import message, span
from tests.spans.reading.otlp_examples import otlp_json_bytes
from tests.spans.reading.otlp_json_dialects import collector

NEEDED = "an ExportTraceServiceRequest as protobuf or JSON is needed"


def lines(count: int, first: int = 1) -> list[bytes]:
    """Messages as the Collector's file exporter writes them, one a line."""
    return [collector(message(span(number, 1))) for number in range(first, first + count)]


def send(
    kafka: Installation, *arguments: str, code: int = 0, given: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    run = subprocess.run(
        [sys.executable, "-m", "spanloom", "send", *arguments],
        env=kafka.environment,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == code, (run.stdout, run.stderr)
    return run


def sent(kafka: Installation) -> list[bytes]:
    return sorted(record.value for record in kafka.consume("otlp_spans"))


def test_what_the_collector_writes_is_sent_line_by_line(kafka_only: Installation, tmp_path: Path) -> None:
    every = lines(9)
    (tmp_path / "plain.jsonl").write_bytes(b"\n".join(every[:3]) + b"\n")
    (tmp_path / "packed.json.gz").write_bytes(
        gzip.compress(b"\n".join(every[3:6])) + gzip.compress(b"\n\n" + every[6])
    )
    found = send(kafka_only, str(tmp_path), "-", given=b"\n".join(every[7:]) + b"\n")
    assert found.stdout == b"sent 9 messages to otlp_spans\n"
    assert found.stderr == b""
    assert [value.rstrip(b"\n") for value in sent(kafka_only)] == sorted(every)


def test_packed_protobuf_and_messages_with_their_length_are_sent(
    kafka_only: Installation, tmp_path: Path
) -> None:
    every = [message(span(number, 1)) for number in range(1, 5)]
    (tmp_path / "one.pb.gz").write_bytes(gzip.compress(every[0]))
    (tmp_path / "many.pb").write_bytes(b"".join(len(value).to_bytes(4) + value for value in every[1:]))
    assert send(kafka_only, str(tmp_path / "one.pb.gz"), str(tmp_path / "many.pb")).stderr == b""
    assert sent(kafka_only) == sorted(every)


def test_what_can_not_be_sent_is_named_and_the_rest_is_sent(kafka_only: Installation, tmp_path: Path) -> None:
    good = lines(3)
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(b"\n".join([good[0], b'{"resourceMetrics":[]}', good[1], good[2][:-9]]))
    (tmp_path / "garbage.pb").write_bytes(b"\xff\xff")
    whole = message(span(9, 1))
    (tmp_path / "whole.pb").write_bytes(whole)
    names = [str(tmp_path / name) for name in ("missing.pb", "mixed.jsonl", "garbage.pb", "whole.pb")]
    found = send(kafka_only, *names, code=1)
    assert found.stdout == b"sent 3 messages to otlp_spans\n"
    assert found.stderr.decode().splitlines() == [
        f"{names[0]} can't be read: No such file or directory",
        f"{file}, line 2, is not OTLP (the message is JSON, but it has no list `resourceSpans`): {NEEDED}",
        f"{file}, line 4, is not OTLP (the message is not valid JSON): {NEEDED}",
        f"{names[2]} is not OTLP (the message is not a protobuf ExportTraceServiceRequest): {NEEDED}",
    ]
    assert [value.rstrip(b"\n") for value in sent(kafka_only)] == sorted([good[0], good[1], whole])


def test_empty_standard_input_is_named_and_what_came_before_is_sent(kafka_only: Installation) -> None:
    found = send(kafka_only, "spanloom/samples/py-oi", "-", code=1, given=b"")
    assert found.stdout.startswith(b"sent ")
    assert found.stderr == f"standard input is empty: check what writes it, {NEEDED}\n".encode()


def test_other_json_in_a_folder_is_named_and_no_error(kafka_only: Installation, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{\n "name": "shop"\n}\n')
    (tmp_path / "one.json").write_bytes(json.dumps(json.loads(lines(1)[0]), indent=1).encode())
    found = send(kafka_only, str(tmp_path))
    assert found.stdout == b"sent 1 message to otlp_spans\n"
    assert found.stderr.startswith(f"{tmp_path}/package.json is not OTLP".encode())
    assert found.stderr.count(b"\n") == 1


def test_a_damaged_archive_is_sent_as_far_as_it_goes(kafka_only: Installation, tmp_path: Path) -> None:
    file = tmp_path / "cut.jsonl.gz"
    whole = gzip.compress(b"\n".join(lines(2000)))
    file.write_bytes(whole[: len(whole) // 2])
    found = send(kafka_only, str(file), code=1)
    assert b"is damaged: its gzip ends too early" in found.stderr
    assert 0 < len(sent(kafka_only)) < 2000


def test_a_message_larger_than_the_topic_takes_is_named(kafka_only: Installation, tmp_path: Path) -> None:
    file = tmp_path / "huge.jsonl"
    with file.open("wb") as out:
        out.write(lines(1)[0] + b"\n")
        out.write(b'{"resourceSpans":[{"x":"' + b"x" * (33 << 20) + b'"}]}\n')
        out.write(lines(1, 2)[0])
    found = send(kafka_only, str(file), code=1)
    assert found.stdout == b"sent 2 messages to otlp_spans\n"
    assert b"huge.jsonl, line 2, is longer than 33,554,432 bytes" in found.stderr


def test_standard_input_is_sent_while_it_comes_in_bounded_memory(kafka_only: Installation) -> None:
    """300 MB through a process that has nothing like it."""
    line = collector(message(*(span(1, number, text="x" * 10_000) for number in range(1, 30)))) + b"\n"
    count = 300_000_000 // len(line)
    with subprocess.Popen(
        [sys.executable, "-m", "spanloom", "send", "-"],
        env=kafka_only.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        assert run.stdin is not None
        peak = 0
        for number in range(count):
            run.stdin.write(line)
            if number % 50 == 0:
                peak = max(peak, _resident(run.pid))
        run.stdin.close()
        run.stdin = None
        printed, problems = run.communicate(timeout=120)
    assert (run.returncode, problems) == (0, b"")
    assert printed == f"sent {count} messages to otlp_spans\n".encode()
    assert 0 < peak < 250_000_000


def _resident(pid: int) -> int:
    for entry in Path(f"/proc/{pid}/status").read_text().splitlines():
        if entry.startswith("VmRSS:"):
            return int(entry.split()[1]) * 1024
    return 0


def test_a_pipe_is_a_file_too(kafka_only: Installation, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    every = lines(3)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"\n".join(every)))
    writer.start()
    assert send(kafka_only, str(pipe)).stdout == b"sent 3 messages to otlp_spans\n"
    writer.join(30)
    # In a folder nobody has named it, and nobody may ever write.
    (tmp_path / "one.json").write_bytes(lines(1, 7)[0])
    assert send(kafka_only, str(tmp_path)).stdout == b"sent 1 message to otlp_spans\n"


def test_times_move_to_now_from_standard_input_too(kafka_only: Installation) -> None:
    old = message(span(1, 1, start=10**18), span(1, 2, start=10**18 + 10**9))
    before = time.time_ns()
    found = send(kafka_only, "-", "--retime", given=otlp_json_bytes(old) + b"\n" + collector(old))
    assert found.stdout == b"sent 2 messages to otlp_spans\n"
    spans: list[Any] = []
    for value in sent(kafka_only):
        for resource in ExportTraceServiceRequest.FromString(value).resource_spans:
            spans += [one for scope in resource.scope_spans for one in scope.spans]
    ends = sorted(one.end_time_unix_nano for one in spans)
    assert before <= ends[-1] <= time.time_ns()
    assert ends[-1] - ends[0] == 10**9


def test_of_the_samples_nothing_is_skipped(kafka_only: Installation) -> None:
    found = send(kafka_only, "spanloom/samples", "--project", "shop")
    assert found.stderr == b""
    records = kafka_only.consume("otlp_spans")
    assert len(records) == len(list(Path("spanloom/samples").rglob("*.pb")))
    assert {dict(record.headers)["spanloom-project"] for record in records} == {b"shop"}
