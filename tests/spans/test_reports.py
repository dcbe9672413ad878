"""What users of such products report comes out right: tests/reports/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spanloom.spans.folding.trace.fold import Trace
from spanloom.spans.table import COST_COLUMNS, PICODOLLARS
from tests.captures_truth import Capture
from tests.spans.test_captures import traces_of

REPORTS = Path(__file__).parents[1] / "reports"
CASES = [folder for folder in sorted(REPORTS.iterdir()) if folder.is_dir()]


def column(trace: Trace, name: str) -> Any:
    """A column of the view `traces`."""
    counters = trace.counters._asdict()
    if name in COST_COLUMNS:
        return counters[name] / PICODOLLARS
    if name == "total_tokens":
        return trace.counters.input_tokens + trace.counters.output_tokens + trace.counters.unsplit_tokens
    if name == "duration":
        return (trace.end_time - trace.start_time) / 1e9
    if name == "tags":
        return list(trace.tags)
    return counters[name] if name in counters else getattr(trace, name)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_report(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    # A start is written otherwise in SQL; the servers' test compares it.
    traces_expected = {
        trace_id: {name: value for name, value in columns.items() if name != "start_time"}
        for trace_id, columns in expected.get("traces", {}).items()
    }
    traces = traces_of(Capture(folder.name, [path.read_bytes() for path in folder.glob("*.otlp.pb")], {}))
    found = {
        trace_id: {name: column(traces[trace_id], name) for name in columns}
        for trace_id, columns in traces_expected.items()
    }
    assert found == {
        trace_id: pytest.approx(columns) if all(isinstance(v, float) for v in columns.values()) else columns
        for trace_id, columns in traces_expected.items()
    }
