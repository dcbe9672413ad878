"""Fixtures for the tests with real clients: all of them share a stack, and a receiver with keys."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.running import Receiver, Stack

PROJECT = "shop"


class Keyed(NamedTuple):
    """A receiver that asks for keys, and the key of PROJECT."""

    receiver: Receiver
    key: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local stack, running."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def keyed(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """A receiver that asks for keys, on the stack's Kafka."""
    keys_file = tmp_path_factory.mktemp("keys") / "keys.toml"
    key = _new_key(keys_file)
    process, receiver = stack.keyed_receiver(keys_file)
    with process:
        yield Keyed(receiver, key)


def _new_key(keys_file: Path) -> str:
    argv = [sys.executable, "-m", "spanloom", "keys", "new", PROJECT, "--file", str(keys_file)]
    output = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"key: (\S+)", output)
    assert found is not None, output
    return found[1]
