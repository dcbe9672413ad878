"""The snippets of the pages that say how to send spans: parts of the programs that tests/clients run.

In a program each stands between the comments `snippet` and `end`, on a page between `<!-- snippet: PROGRAM -->` and
`<!-- end -->`. `python -m tests.docs.snippets` writes the pages anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.clients.environments import HERE
from tests.docs.generated import ROOT

PROGRAMS = HERE / "programs"

_PLACE = re.compile(r"(<!-- snippet: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PART = re.compile(r"^(?:#|//) snippet\n(.*?)\n+(?:#|//) end$", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".mjs": "js"}


def snippet(program: Path) -> str:
    """Return the part of a program that is shown, as a block of Markdown."""
    part = _PART.search(program.read_text())
    assert part is not None, f"{program.name} has no snippet"
    return f"```{_LANGUAGES[program.suffix]}\n{part[1]}\n```\n"


def current(text: str) -> str:
    """Return a page with its snippets as they ought to be."""
    return _PLACE.sub(lambda place: f"{place[1]}{snippet(PROGRAMS / place[2])}{place[3]}", text)


def shown(text: str) -> list[str]:
    """Return the programs whose snippets a page shows."""
    return [program for _, program, _ in _PLACE.findall(text)]


def pages() -> list[Path]:
    """Return the pages with snippets."""
    candidates = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [page for page in candidates if shown(page.read_text())]


if __name__ == "__main__":
    for page in pages():
        page.write_text(current(page.read_text()))
