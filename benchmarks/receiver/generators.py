"""Processes that send to the receiver, each many connections at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.parts import BenchmarkError


class Generators:
    """The processes that send, connected and waiting.

    Args:
        commands: the further arguments of each.
    """

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self._children = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.receiver.senders", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
        for child in self._children:
            assert child.stdout is not None
            if child.stdout.readline() != "ready\n":
                raise BenchmarkError("a process that sends could not connect")

    def go(self) -> None:
        """Let all begin."""
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()

    def results(self) -> list[dict[str, Any]]:
        """Wait until all are through; returns what each has printed."""
        found = []
        for child in self._children:
            output, _ = child.communicate()
            if child.returncode:
                raise BenchmarkError("a process that sends has failed")
            found.append(json.loads(output))
        return found
