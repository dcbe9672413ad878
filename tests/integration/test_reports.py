"""What users of such products report comes out right in SQL and from the API: tests/reports/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from spanloom.warehouse.client import connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.client import Api
from tests.integration.installation import Installation

REPORTS = Path(__file__).parents[1] / "reports"


def test_every_report_comes_out_right(installation: Installation) -> None:
    installation.worker()
    messages = [path.read_bytes() for path in sorted(REPORTS.glob("*/*.otlp.*"))]
    installation.produce(messages)
    expected = {path.parent.name: json.loads(path.read_text()) for path in REPORTS.glob("*/expected.json")}
    # The last message of all is a span of its own: what lies before it has been read.
    wanted = [trace for case in expected.values() for trace in case.get("traces", {})]
    names = ", ".join(f"'{name}'" for name in wanted)
    installation.wait_for(
        f"SELECT uniqExact(trace_id) AS traces FROM traces WHERE trace_id IN ({names})",
        [{"traces": len(wanted)}],
    )
    wrong: list[tuple[object, ...]] = []
    for case, columns in sorted(expected.items()):
        for kind in ("trace", "session"):
            for name, truth in columns.get(f"{kind}s", {}).items():
                [row] = installation.sql(f"SELECT * FROM {kind}s WHERE {kind}_id = '{name}'")
                wrong += [
                    (case, name, key, row[key], value)
                    for key, value in truth.items()
                    if not _equal(row[key], value)
                ]
        for query, value in columns.get("sql", []):
            [row] = installation.sql(query)
            wrong += [] if _equal(row["g"], value) else [(case, query, "g", row["g"])]
        for path, count in columns.get("api", []):
            found = _rows(installation, path)
            wrong += [] if len(found) == count else [(case, path, "rows", len(found))]
    assert wrong == []


def _equal(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, abs=1e-11))
    return bool(found == expected)


def _rows(installation: Installation, path: str) -> list[dict[str, Any]]:
    warehouse = connect(ClickHouseSettings(url=installation.clickhouse, database=installation.database))
    try:
        parts = urlsplit(path)
        rows: list[dict[str, Any]] = Api(warehouse).get(
            parts.path.removeprefix("/api/"), **dict(parse_qsl(parts.query))
        )["rows"]
        return rows
    finally:
        warehouse.close()
