"""The tables in docs/ that follow from the code. `python -m tests.docs.generated` writes them anew.

Each stands between two comments, `<!-- generated: NAME -->` and `<!-- end -->`; the rest of a page is written by
hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from spanloom.commands import settings
from spanloom.spans.conventions.fields import FIRST_MERGED, WHOLE, Field
from spanloom.spans.conventions.precedence import PRECEDENCE
from spanloom.spans.conventions.registry import CONVENTIONS
from tests.clients.cases import CASES, COMPRESSION

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; bars inside a cell are escaped."""
    head = list(header)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def variables() -> str:
    """Every environment variable, its default and its meaning."""
    return table(
        ("variable", "default", "meaning"),
        (
            (f"`{variable.name}`", _default(variable.default), variable.description)
            for variable in settings.variables()
        ),
    )


def _default(value: str) -> str:
    if value in ("True", "False"):
        value = value.lower()  # as one would write it in an environment
    return f"`{value}`" if value else ""


def keys() -> str:
    """For each field the keys that are read, the best first, and which conventions read them."""
    readers: dict[tuple[Field, str], dict[str, None]] = {}
    for convention in CONVENTIONS:
        for key in convention.declared():
            field = WHOLE.get(key.field, key.field)
            readers.setdefault((field, key.shown), {})[convention.name] = None
    return table(
        ("field", "rank", "key", "convention"),
        (
            (
                f"`{field.name.lower()}`" if rank == 1 else "",
                "all" if field >= FIRST_MERGED else str(rank),
                f"`{name}`",
                ", ".join(readers.get((field, name), ["no longer read"])),
            )
            for field, names in sorted(PRECEDENCE.items())
            for rank, name in enumerate(names, 1)
        ),
    )


def sources() -> str:
    """The conventions and where their names are defined."""
    return table(
        ("convention", "defined in"), ((convention.name, convention.source) for convention in CONVENTIONS)
    )


def clients() -> str:
    """What to change in a snippet of docs/sending.md for another transport."""
    rows = [
        (
            case.name,
            "; ".join(
                [f"`{old}` → {f'`{new}`' if new else 'nothing'}" for old, new in case.edits.items()]
                + [f"set `{name}={value}`" for name, value in case.environment.items()]
            )
            or "as above",
        )
        for case in CASES
        if COMPRESSION not in case.environment
    ]
    return table(("client and transport", "in the snippet above"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "variables": variables,
    "keys": keys,
    "sources": sources,
    "clients": clients,
}


_VIEWS = ("spans", "traces", "session_windows", "sessions")
_COLUMN = re.compile(r"^\| `(\w+)`(?: \(only `(\w+)`\))? \| `.+?` \| (.+?) ?\|$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")

COMMENTS = ROOT / "schemas" / "columns.toml"


def comments() -> str:
    """What docs/schema.md says of each column of the views, without Markdown, as ClickHouse is told it."""
    page = (ROOT / "docs" / "schema.md").read_text()
    lines = ["# Made by python -m tests.docs.generated out of docs/schema.md.\n"]
    for view in _VIEWS:
        heading = next(line for line in page.splitlines() if line.startswith("### ") and f"`{view}`" in line)
        section = re.split(r"^#", page.partition(heading)[2], maxsplit=1, flags=re.MULTILINE)[0]
        lines.append(f"\n[{view}]\n")
        lines += [
            f"{column} = {json.dumps(_LINK.sub(chr(92) + '1', meaning).replace('`', ''), ensure_ascii=False)}\n"
            for column, only, meaning in _COLUMN.findall(section)
            if only in ("", view)
        ]
    return "".join(lines)


def current(text: str) -> str:
    """A page with its generated tables as they ought to be."""
    return _BLOCK.sub(lambda block: f"{block[1]}{TABLES[block[2]]()}{block[3]}", text)


def pages() -> list[Path]:
    """The pages with generated tables."""
    return [page for page in sorted((ROOT / "docs").glob("*.md")) if _BLOCK.search(page.read_text())]


def names(text: str) -> list[str]:
    """The generated tables of a page."""
    return [name for _, name, _ in _BLOCK.findall(text)]


if __name__ == "__main__":
    for page in pages():
        page.write_text(current(page.read_text()))
    COMMENTS.write_text(comments())
