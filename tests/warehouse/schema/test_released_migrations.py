"""A migration that was released is never changed: a database keeps its hash, and so does this file."""

from __future__ import annotations

import hashlib
from importlib.resources import as_file, files
from pathlib import Path

RELEASED: dict[str, str] = {}
"""File and SHA-256 of each migration in a release; the release adds its own (CONTRIBUTING.md). None is out yet."""


def changed(folder: Path, released: dict[str, str]) -> list[str]:
    """The released migrations that are no longer as they were, or gone."""
    return [
        name
        for name, digest in released.items()
        if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]


def test_released_migrations_are_as_they_were() -> None:
    with as_file(files("spanloom.schemas") / "clickhouse") as folder:
        assert changed(folder, RELEASED) == []


def test_a_change_of_a_released_migration_is_found(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("SELECT 1;\n")
    (tmp_path / "0002_b.sql").write_text("SELECT 2;\n")
    released = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert changed(tmp_path, released) == []
    (tmp_path / "0001_a.sql").write_text("SELECT 1 ;\n")
    assert changed(tmp_path, released) == ["0001_a.sql"]
    (tmp_path / "0002_b.sql").unlink()
    assert sorted(changed(tmp_path, released)) == ["0001_a.sql", "0002_b.sql"]
