"""Imports run downwards only, as the house in docs/design.md shows: not sideways, not upwards, not in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.docs.generated import ROOT

BELOW = {
    "schemas": set[str](),
    "browsers": set[str](),
    "connections": set[str](),
    "probes": {"connections"},
    "health": set[str](),
    "retry": set[str](),
    "watched_file": set[str](),
    "spans": {"schemas"},
    "kafka": {"schemas", "spans"},
    "warehouse": {"schemas", "spans"},
    "agents": {"schemas", "probes", "retry", "spans", "kafka", "warehouse"},
    "receiver": {"schemas", "browsers", "connections", "retry", "watched_file", "spans", "kafka"},
    "dashboard": {
        "schemas",
        "browsers",
        "connections",
        "watched_file",
        "spans",
        "kafka",
        "warehouse",
        "forgetting",
    },
    "local": {"browsers", "connections"},
    "forgetting": {"retry", "spans", "kafka", "warehouse"},
    "commands": {
        "schemas",
        "forgetting",
        "connections",
        "probes",
        "spans",
        "kafka",
        "warehouse",
        "agents",
        "receiver",
        "dashboard",
        "local",
    },
    "__main__": {"commands"},
}
"""What each part of the package may import, other than itself."""

INSIDE_AGENTS = {
    "metrics": set[str](),
    "settings": set[str](),
    "retry": {"metrics"},
    "state": {"metrics", "retry"},
    "consuming": {"metrics", "settings", "retry", "state"},
    "stages": {"metrics", "settings", "retry", "state", "consuming"},
}
"""What each room of the worker may import; `app` and `worker` put them together."""

ROOM = 12
"""A room holds at most a dozen files."""

PACKAGE = ROOT / "spanloom"


def sources(folder: Path) -> list[Path]:
    """The Python files of a folder, those behind links included, generated ones left out."""
    paths = [path for path in folder.iterdir() if not path.name.startswith((".", "__pycache__"))]
    files = [path for path in paths if path.suffix == ".py" and not path.stem.endswith("_pb2")]
    return files + [file for path in paths if path.is_dir() for file in sources(path)]


def module(file: Path) -> str:
    """The name under which a file is imported."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module(file): file for file in sorted(sources(PACKAGE))}


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(name: str, depth: int) -> str:
    """The part of a dotted name at a depth; '' where it is shorter."""
    parts = name.split(".")
    return parts[depth] if len(parts) > depth else ""


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """A circle of a graph; empty where it has none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def arrows() -> dict[str, set[str]]:
    """Each file's imports from the package, as names of files."""
    return {
        name: {target for target in imported(file) if target in FILES and target != name}
        for name, file in FILES.items()
    }


def room(name: str) -> str:
    """Where a file stands: its folder, or itself where its folder holds rooms."""
    folder = FILES[name].parent
    has_rooms = any((path / "__init__.py").exists() for path in folder.iterdir() if path.is_dir())
    return name if has_rooms else folder.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("part", BELOW)
def test_imports_run_downwards(part: str) -> None:
    allowed = BELOW[part] | {part, ""}
    wrong = {
        f"{name} imports {target}"
        for name, file in FILES.items()
        if part_of(name, 1) == part
        for target in imported(file)
        if part_of(target, 0) in {"benchmarks", "tests", "agents", "schemas"}
        or (part_of(target, 0) == "spanloom" and part_of(target, 1) not in allowed)
    }
    assert wrong == set()


@pytest.mark.parametrize("part", INSIDE_AGENTS)
def test_imports_inside_the_worker_run_downwards(part: str) -> None:
    allowed = INSIDE_AGENTS[part] | {part}
    wrong = {
        f"{name} imports {target}"
        for name, targets in arrows().items()
        if name.startswith(f"spanloom.agents.{part}")
        for target in targets
        if target.startswith("spanloom.agents.") and part_of(target, 2) not in allowed
    }
    assert wrong == set()


def test_every_part_has_its_place() -> None:
    parts = {part_of(name, 1) for name in FILES} - {""}
    assert parts == set(BELOW)


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(arrows()) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, targets in arrows().items():
        graph.setdefault(room(name), set()).update(room(target) for target in targets)
    assert circle({name: targets - {name} for name, targets in graph.items()}) == []


def test_a_room_holds_at_most_a_dozen_files() -> None:
    folders: dict[Path, int] = {}
    for top in (PACKAGE, ROOT / "tests", ROOT / "benchmarks"):
        for file in sources(top):
            if file.name != "__init__.py":
                folders[file.parent] = folders.get(file.parent, 0) + 1
    assert {str(folder.relative_to(ROOT)): count for folder, count in folders.items() if count > ROOM} == {}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("spanloom.spans")])
def test_spans_knows_no_io(name: str) -> None:
    tops = {part_of(target, 0) for target in imported(FILES[name])}
    assert {"asyncio", "aiokafka", "faust", "clickhouse_connect", "aiohttp"}.isdisjoint(tops)


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b"}, "b": {"c"}})
