"""docs/schema.md names every column of the four views, with its type, and no other."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.docs.generated import ROOT

_PAGE = (ROOT / "docs" / "schema.md").read_text()
_ROW = re.compile(r"^\| `(\w+)`(?: \(only `(\w+)`\))? \| `(.+?)` \|", re.MULTILINE)
_FENCED_SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def ask(url: str, query: str) -> str:
    parameters = urlencode({"database": "documented", "default_format": "TSVRaw"})
    with urllib.request.urlopen(f"{url}/?{parameters}", query.encode(), timeout=60) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def migrated(local_clickhouse: str) -> Iterator[str]:
    """The address of a ClickHouse with the schema in database `documented`."""
    migrate(ClickHouseSettings(url=local_clickhouse, database="documented"))
    yield local_clickhouse
    ask(local_clickhouse, "DROP DATABASE documented")


def documented(view: str) -> dict[str, str]:
    """The columns and types that the page says a view has."""
    heading = next(line for line in _PAGE.splitlines() if line.startswith("### ") and f"`{view}`" in line)
    section = re.split(r"^#", _PAGE.partition(heading)[2], maxsplit=1, flags=re.MULTILINE)[0]
    return {column: type_ for column, only, type_ in _ROW.findall(section) if only in ("", view)}


@pytest.mark.parametrize("view", ["spans", "traces", "session_windows", "sessions"])
def test_every_column_is_documented_and_no_other(migrated: str, view: str) -> None:
    columns = {}
    for line in re.sub(r"\n\s+", " ", ask(migrated, f"DESCRIBE TABLE {view}")).splitlines():
        name, type_ = line.split("\t")[:2]
        # How a column is stored is nothing to a reader.
        columns[name] = re.sub(r"LowCardinality\((\w+)\)", r"\1", type_).replace("Tuple( ", "Tuple(")
    assert documented(view) == columns


@pytest.mark.parametrize(
    "query", [query for block in _FENCED_SQL.findall(_PAGE) for query in block.split(";") if query.strip()]
)
def test_every_example_is_answered(migrated: str, query: str) -> None:
    ask(migrated, query)
