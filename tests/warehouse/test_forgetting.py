"""Which traces a session has that is to be forgotten."""

from __future__ import annotations

import pytest

from spanloom.forgetting.selection import Selection, first
from spanloom.spans.folding.facts import TraceKey
from spanloom.warehouse.client import Warehouse
from tests.warehouse.tables import SECOND, START, partial, put, run, spans


@pytest.mark.parametrize(("stands_in", "is_found"), [(None, True), ("", True), ("s", True), ("other", False)])
def test_a_trace_of_which_a_span_names_the_session(
    warehouse: Warehouse, project: str, stands_in: str | None, is_found: bool
) -> None:
    """The row of a large trace is put off, and may not name the session yet which the last span has named."""
    key = {"project_id": project, "trace_id": f"{1:032x}"}
    stored = {**key, "span_id": f"{1:016x}", "session_id": "s", "start_time": START * SECOND, "version": 2}
    put(warehouse, "spans_versions", spans(stored))
    if stands_in is not None:
        row = {**key, "session_id": stands_in, "window_start": START, "span_count": 9, "version": 1}
        put(warehouse, "traces_versions", partial(row))
    found = run(first(warehouse, Selection(project, "session", "s"), 10))
    assert [each.key for each in found] == ([TraceKey(project, (1).to_bytes(16))] if is_found else [])
