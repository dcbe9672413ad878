"""One trace: its row and its spans in order, without their texts or whole."""

from __future__ import annotations

import pytest

from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.queries.sessions.page import Ambiguous
from spanloom.warehouse.queries.traces.tree import trace_tree, whole_trace
from tests.warehouse.tables import SECOND, START, partial, put, run, spans

TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def three(warehouse: Warehouse, project: str) -> str:
    """A project with a trace of three spans, whose row has not come yet."""
    start = START * SECOND
    base = {"project_id": project, "trace_id": TRACE}
    event = {"name": "e", "time": start, "attributes": [("a", "1")]}
    put(
        warehouse,
        "spans_versions",
        spans(
            base
            | {
                "span_id": "c",
                "start_time": start + 5,
                "end_time": start + 6,
                "input": "in",
                "output": "out",
                "attributes": [("k", "v")],
                "events": [event],
                "priced": 1,
            },
            base | {"span_id": "b", "start_time": start, "end_time": start + 5},
            base | {"span_id": "a", "start_time": start, "end_time": start + 9},
        ),
    )
    return project


def put_row(warehouse: Warehouse, project: str) -> None:
    row = {"project_id": project, "trace_id": TRACE, "session_id": "s", "window_start": START}
    put(warehouse, "traces_versions", partial(row | {"name": "turn", "version": 1}))


def test_a_trace_shows_its_spans_in_order(warehouse: Warehouse, three: str) -> None:
    tree = run(trace_tree(warehouse, TRACE.upper(), three))
    assert tree is not None
    assert tree.trace is None  # its row comes a moment later
    assert [span.span_id for span in tree.spans] == ["a", "b", "c"]
    assert tree.complete
    put_row(warehouse, three)
    tree = run(trace_tree(warehouse, TRACE, three))
    assert tree is not None
    assert tree.trace is not None
    assert tree.trace.name == "turn"


def test_a_whole_trace_has_all_that_its_first_spans_carried(warehouse: Warehouse, three: str) -> None:
    whole = run(whole_trace(warehouse, TRACE.upper(), three))
    assert whole is not None
    assert whole.trace is None
    assert [span.span_id for span in whole.spans] == ["a", "b", "c"]
    assert whole.complete
    last = whole.spans[2]
    assert (last.project_id, last.trace_id, last.priced) == (three, TRACE, True)
    assert (last.input, last.output, last.attributes) == ("in", "out", {"k": "v"})
    assert [(event.name, event.attributes) for event in last.events] == [("e", {"a": "1"})]
    assert last.event_count == 1

    put_row(warehouse, three)
    limited = run(whole_trace(warehouse, TRACE, three, most_spans=1))
    assert limited is not None
    assert limited.trace is not None
    assert limited.trace.session_id == "s"
    assert (len(limited.spans), limited.complete) == (1, False)


def test_a_trace_of_two_projects_asks_for_one(warehouse: Warehouse, project: str) -> None:
    span = {"trace_id": OTHER, "span_id": "a"}
    names = f"{project}a", f"{project}b"
    put(warehouse, "spans_versions", spans(*(span | {"project_id": name} for name in names)))
    for question in (trace_tree, whole_trace):
        with pytest.raises(Ambiguous, match=f"in the projects {', '.join(names)}: name one"):
            run(question(warehouse, OTHER))
        assert run(question(warehouse, OTHER, names[0])) is not None


def test_a_trace_that_is_not_there_is_none(warehouse: Warehouse, project: str) -> None:
    assert run(trace_tree(warehouse, "f" * 32)) is None
    assert run(whole_trace(warehouse, "f" * 32, project)) is None


def test_a_read_only_user_may_ask_for_a_whole_trace(warehouse: Warehouse, three: str) -> None:
    reader = connect(warehouse.settings.model_copy(update={"settings": {"readonly": "1"}}))
    whole = run(whole_trace(reader, TRACE, three))
    reader.close()
    assert whole is not None
    assert len(whole.spans) == 3
