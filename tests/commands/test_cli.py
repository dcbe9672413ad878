"""The command line, without servers: wrong settings end a command with one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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
