"""The tables of docs/ that follow from the code are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.generated import COMMENTS, TABLES, comments, current, names, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_generated_tables_are_current(page: Path) -> None:
    text = page.read_text()
    assert text == current(text), f"run python -m tests.docs.generated: {page.name} is not current"


def test_every_table_stands_once() -> None:
    tables = [name for page in pages() for name in names(page.read_text())]
    assert sorted(tables) == sorted(TABLES)


def test_the_comments_of_columns_are_current() -> None:
    assert COMMENTS.read_text() == comments(), "run python -m tests.docs.generated"
