"""What the pages say about sending is what the tests with real clients run, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.clients.cases import CASES
from tests.docs.generated import ROOT
from tests.docs.snippets import COLLECTOR, PROGRAMS, current, exporter, pages, shown, snippet


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_snippets_are_those_of_the_programs(page: Path) -> None:
    text = page.read_text()
    assert text == current(text), f"run python -m tests.docs.snippets: {page.name} is not current"


def test_every_program_is_run_and_shown() -> None:
    programs = {program.name for program in PROGRAMS.iterdir() if program.is_file()}
    assert programs == {case.program for case in CASES}
    assert programs == set(shown((ROOT / "docs" / "sending.md").read_text()))


def test_the_exporter_is_that_of_the_documented_file() -> None:
    (shown_exporter,) = yaml.safe_load(exporter().removeprefix("```yaml\n").removesuffix("```\n")).items()
    assert shown_exporter == ("exporters", yaml.safe_load(COLLECTOR.read_text())["exporters"])
    for page in (ROOT / "README.md", ROOT / "docs" / "sending.md"):
        assert page.read_text().count(exporter()) == 1, page.name


def test_what_a_developer_changes_stands_in_the_snippet() -> None:
    for case in CASES:
        assert [old for old in case.edits if old not in snippet(case.path)] == [], case.name
