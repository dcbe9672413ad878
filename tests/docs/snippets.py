"""The snippets of the pages that say how to send spans: parts of the programs and of the file that the tests run.

In a program each stands between the comments `snippet` and `end`, on a page between `<!-- snippet: PROGRAM -->` and
`<!-- end -->`. The exporter of deploy/otel-collector.yaml stands behind `<!-- collector -->`, without its comments.
`python -m tests.docs.snippets` writes the pages anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.clients.environments import HERE
from tests.docs.generated import ROOT

PROGRAMS = HERE / "programs"
COLLECTOR = ROOT / "deploy" / "otel-collector.yaml"

_PLACE = re.compile(r"(<!-- snippet: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_COLLECTOR = re.compile(r"(<!-- collector -->\n).*?(<!-- end -->)", re.DOTALL)
_EXPORTERS = re.compile(r"^exporters:\n(?:[ #].*\n|\n)+?(?=^\w|\Z)", re.MULTILINE)
_COMMENT = re.compile(r"^ *#.*\n| +#.*$", re.MULTILINE)
_PART = re.compile(r"^(?:#|//) snippet\n(.*?)\n+(?:#|//) end$", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".mjs": "js"}


def snippet(program: Path) -> str:
    """Return the part of a program that is shown, as a block of Markdown."""
    part = _PART.search(program.read_text())
    assert part is not None, f"{program.name} has no snippet"
    return f"```{_LANGUAGES[program.suffix]}\n{part[1]}\n```\n"


def exporter() -> str:
    """Return the exporters of deploy/otel-collector.yaml, without the reasons, as a block of Markdown."""
    part = _EXPORTERS.search(COLLECTOR.read_text())
    assert part is not None, f"{COLLECTOR.name} has no exporters"
    return f"```yaml\n{_COMMENT.sub('', part[0]).strip()}\n```\n"


def current(text: str) -> str:
    """Return a page with its snippets as they ought to be."""
    text = _COLLECTOR.sub(lambda place: f"{place[1]}{exporter()}{place[2]}", text)
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
