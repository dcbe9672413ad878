"""Every link of every page leads somewhere, and what it promises is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from tests.docs.generated import ROOT

_LINK = re.compile(r"\[([^]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

# Put together here: this file must not name them either.
_REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", ""),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
    )
]


def pages() -> list[Path]:
    """All pages of the project; hidden folders (`.venv`) are not its own."""
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))])


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for text, link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        # A link whose text is the name of a test is a promise: the test must be in that file.
        test = text.strip("`") if target.suffix == ".py" and "." not in text else ""
        if (
            not target.exists()
            or (anchor and anchor not in anchors(target))
            or (test.startswith("test_") and f"def {test}(" not in target.read_text())
        ):
            broken.append(f"{text}: {link}")
    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_registry(page: Path) -> None:
    text = page.read_text().lower()
    assert [registry for registry in _REGISTRIES if registry in text] == []


def test_the_exporter_that_is_shown_is_the_one_that_is_deployed() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "sending.md").read_text(), re.DOTALL)
    deployed = yaml.safe_load((ROOT / "deploy" / "otel-collector.yaml").read_text())
    assert [yaml.safe_load(block)["exporters"] for block in blocks] == [deployed["exporters"]]
