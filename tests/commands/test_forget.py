"""`spanloom forget` without servers: every mistake is one sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from spanloom.forgetting.forget import whoami
from spanloom.local.ports import free_port

PROJECT = ("--project", "shop")


def forget(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spanloom", "forget", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say what to forget: one of --session, --user, --trace and --before"),
        (
            ("--session", "s", "--user", "u"),
            "say what to forget: one of --session, --user, --trace and --before",
        ),
        (
            ("--session", ""),
            "a name that is empty stands for nothing: name what to forget, and its project",
        ),
        (
            ("--trace", "abc"),
            "a trace ID has 32 hexadecimal digits: copy it from its page, or from `spanloom session ID --json`",
        ),
        (("--before", "soon"), "before is no date: write one such as 2026-11-23"),
        (
            ("--before", "0001-01-01"),
            "before is no date from 1970 on: write one such as 2026-11-23",
        ),
    ],
)
def test_what_can_not_be_meant(arguments: tuple[str, ...], sentence: str) -> None:
    run = forget(*PROJECT, *arguments)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"{sentence}\n")


def test_a_project_must_be_named() -> None:
    run = forget("--session", "s")
    assert run.returncode == 2
    assert "--project" in run.stderr


def test_without_kafka_and_clickhouse() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    run = forget(*PROJECT, "--session", "s", SPANLOOM_KAFKA__BOOTSTRAP_SERVERS=nowhere)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"Kafka at {nowhere} can't be used (KafkaConnectionError): start it, or set"
        " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS, and run the command again\n"
    )
    run = forget(*PROJECT, "--session", "s", "--dry-run", SPANLOOM_CLICKHOUSE__URL=f"http://{nowhere}")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
    assert f"http://{nowhere}" in run.stderr


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert whoami().startswith("uid 4000000000@")
