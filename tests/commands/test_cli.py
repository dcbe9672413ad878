"""The command line, without servers: wrong settings end a command with one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from spanloom.local.ports import free_port
from tests.captures_truth import CAPTURES
from tests.docs.generated import ROOT


@pytest.mark.parametrize("command", ["worker", "up"])
def test_wrong_prices_stop_the_start(tmp_path: Path, command: str) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nmodel = "gpt-4o"\ninput = -1\noutput = 10\n')
    run = subprocess.run(
        [sys.executable, "-m", "spanloom", command],
        env={**os.environ, "SPANLOOM_WORKER__PRICES_FILE": str(prices)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr == (
        f"SPANLOOM_WORKER__PRICES_FILE: {prices}, price 1 (gpt-4o): `input` must be from 0 to 1,000,000 USD a"
        " million tokens: correct it\n"
    )


def spanloom(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with nothing on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "spanloom", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [("keys", "new", "shop"), ("users", "new", "ada", "--all-projects")])
@pytest.mark.parametrize(
    ("content", "sentence"), [(b"\xff", "is not UTF-8"), (b"a = " + b"[" * 5000, "it is not TOML")]
)
def test_a_file_that_can_not_be_added_to(
    tmp_path: Path, command: tuple[str, ...], content: bytes, sentence: str
) -> None:
    file = tmp_path / "file.toml"
    file.write_bytes(content)
    run = spanloom(*command, "--file", str(file))
    assert (run.returncode, run.stdout) == (1, "")
    assert sentence in run.stderr
    assert run.stderr.count("\n") == 1
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "command",
    [("keys", "new", b"b\xe9"), ("users", "new", "ada", "--project", b"b\xe9")],
    ids=["keys", "users"],
)
def test_a_name_that_is_not_utf8(tmp_path: Path, command: tuple[str | bytes, ...]) -> None:
    run = spanloom(*command, "--file", str(tmp_path / "file.toml"))
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "a name, an ID or a project on the command line is not UTF-8: correct it\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [("worker",), ("receiver",), ("topics",), ("send", str(CAPTURES / "py-oi"))]
)
def test_certificates_that_can_not_be_used(tmp_path: Path, command: tuple[str, ...]) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("broken")
    # The usual ones may be those of other tests.
    ports = {f"SPANLOOM_RECEIVER__{name}_PORT": str(free_port()) for name in ("GRPC", "HTTP", "WEB")}
    run = spanloom(
        *command,
        SPANLOOM_KAFKA__SECURITY_PROTOCOL="SSL",
        SPANLOOM_KAFKA__SSL_CERTFILE=str(broken),
        SPANLOOM_KAFKA__SSL_KEYFILE=str(broken),
        SPANLOOM_WORKER__WEB_PORT=str(free_port()),
        **ports,
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    last = run.stderr.splitlines()[-1]
    assert last.startswith("Kafka's certificates can't be used (")
    assert last.endswith(
        "correct SPANLOOM_KAFKA__SSL_CAFILE, SPANLOOM_KAFKA__SSL_CERTFILE and SPANLOOM_KAFKA__SSL_KEYFILE"
    )


def test_of_empty_standard_input_nothing_is_sent(unused_url: str) -> None:
    # Whoever gets as far as sending would say that no Kafka is there.
    run = spanloom("send", "-", SPANLOOM_KAFKA__BOOTSTRAP_SERVERS=unused_url.removeprefix("http://"))
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "standard input is empty: check what writes it, an ExportTraceServiceRequest as protobuf or JSON is needed\n"
    )


def test_the_version_is_the_installed_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    run = subprocess.run(
        [Path(sys.executable).with_name("spanloom"), "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, f"spanloom {project['version']}\n", "")
