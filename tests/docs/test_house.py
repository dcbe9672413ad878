"""Arrows run downwards only, as the design's house shows: nobody imports from beside or above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.generated import ROOT

BELOW = {
    "schemas": set[str](),
    "spans": {"schemas"},
    "warehouse": {"schemas", "spans"},
    "agents": {"schemas", "spans", "warehouse"},
    "receiver": {"schemas", "spans", "warehouse"},
    "dashboard": {"schemas", "spans", "warehouse"},
    "spanloom": {"schemas", "spans", "warehouse", "agents", "receiver", "dashboard"},
}


def imported(file: Path) -> Iterator[str]:
    """The top-level packages that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", BELOW)
def test_imports_run_downwards(package: str) -> None:
    allowed = BELOW[package] | {package}
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (ROOT / package).rglob("*.py")
        for name in imported(file)
        if name in {*BELOW, "benchmarks", "tests"} - allowed
    }
    assert wrong == set()


@pytest.mark.parametrize("file", sorted((ROOT / "spans").rglob("*.py")), ids=lambda file: file.name)
def test_spans_knows_no_io(file: Path) -> None:
    assert {"asyncio", "aiokafka", "faust", "clickhouse_connect", "aiohttp"}.isdisjoint(imported(file))
