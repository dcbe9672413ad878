"""What `spanloom up` suggests to try."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

from spanloom.commands.serving.up import _welcome
from spanloom.local.stack import StackOptions


@pytest.mark.parametrize(
    ("called", "path", "command"),
    [
        ("{home}/bin/spanloom", "", "bin/spanloom"),
        ("{home}/bin/spanloom", "{home}/bin", "spanloom"),
        ("{home}/lib/spanloom/__main__.py", "{home}/bin", "bin/python -m spanloom"),
    ],
)
def test_the_commands_are_written_as_they_can_be_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: str, path: str, command: str
) -> None:
    program = tmp_path / "bin" / "spanloom"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [called.format(home=tmp_path), "up"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", path.format(home=tmp_path))
    console = Console(record=True, width=200)
    _welcome(console, StackOptions(data=tmp_path), sample=True)
    assert f"\n  {command} session conv-1\n" in console.export_text()
