"""What was said is found wherever it stands in a message, and however its letters are composed; long IDs are whole."""

from __future__ import annotations

import unicodedata

import pytest

from spanloom.spans.table import PREVIEW_CHARACTERS
from spanloom.spans.text.ids import LONGEST_ID, bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.sessions.list import list_sessions
from spanloom.warehouse.queries.sessions.page import session_detail
from spanloom.warehouse.queries.sessions.search import SearchFilter, search_session
from spanloom.warehouse.queries.traces.list import list_traces
from tests.warehouse.tables import SECOND, START, partial, put, run, spans, window

TRACE = f"{1:032x}"
COMPOSED = unicodedata.normalize("NFC", "Café Zürich")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def put_session(
    warehouse: Warehouse, project: str, session: str, said: str, rest: str = "", trace: str = TRACE
) -> None:
    """A session of one trace with one call, whose input is `said`; `rest` is what its preview leaves out."""
    put(
        warehouse,
        "session_windows_versions",
        partial(window(project, session, 0, user_id=session, user_ids=[session])),
    )
    row = {
        "project_id": project,
        "session_id": session,
        "window_start": START,
        "trace_id": trace,
        "user_id": session,
        "input": said,
        "start_time": START * SECOND,
        "end_time": (START + 2) * SECOND,
        "version": 1,
    }
    put(warehouse, "traces_versions", partial(row))
    call = {"project_id": project, "trace_id": trace, "span_id": f"{1:016x}", "span_type": "LLM"}
    put(
        warehouse,
        "spans_versions",
        spans(call | {"input": said + rest, "input_preview": said, "said_rest": rest}),
    )


def found(warehouse: Warehouse, project: str, text: str) -> tuple[list[str], list[str]]:
    """The sessions and the traces of the lists that have a text."""
    wanted = Filter(project=project, text=text)
    sessions = run(list_sessions(warehouse, wanted, "start_time", "desc", 50)).rows
    traces = run(list_traces(warehouse, wanted, "start_time", "desc", 50)).rows
    return [row.session_id for row in sessions], [row.trace_id for row in traces]


def test_a_word_behind_the_preview_is_found_from_the_lists(warehouse: Warehouse, project: str) -> None:
    put_session(warehouse, project, "s", "x" * PREVIEW_CHARACTERS, f" and Then {DECOMPOSED} at last")
    for text in ("then", COMPOSED, DECOMPOSED.upper(), "at last"):
        assert found(warehouse, project, text) == (["s"], [TRACE]), text
    assert found(warehouse, project, "never said") == ([], [])


def test_a_session_search_shows_the_words_behind_the_preview(warehouse: Warehouse, project: str) -> None:
    put_session(warehouse, project, "s", "x" * PREVIEW_CHARACTERS, f" and then {DECOMPOSED} at last")
    [match] = run(search_session(warehouse, "s", project, SearchFilter(text="zürich"))).traces
    [span] = match.spans
    [snippet] = span.snippets
    [(start, end)] = snippet.ranges
    assert (snippet.field, snippet.text[start:end]) == ("input", "Zürich")


@pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("wanted", [COMPOSED, DECOMPOSED, COMPOSED.lower()])
def test_letters_and_accents_find_each_other(
    warehouse: Warehouse, project: str, stored: str, wanted: str
) -> None:
    put_session(warehouse, project, "s", f"Where is the {stored}?")
    assert found(warehouse, project, wanted) == (["s"], [TRACE])
    [match] = run(search_session(warehouse, "s", project, SearchFilter(text=wanted))).traces
    assert COMPOSED in str(match.model_dump())


def test_long_ids_with_the_same_beginning_are_told_apart(warehouse: Warehouse, project: str) -> None:
    one, other = ("x" * LONGEST_ID + end for end in "ab")
    for number, name in enumerate((one, other), 1):
        put_session(warehouse, project, bounded_id(name), f"said in {name[-1]}", trace=f"{number:032x}")
    for number, name in enumerate((one, other), 1):
        detail = run(session_detail(warehouse, name, project))
        assert detail is not None
        assert detail.session_id == bounded_id(name)
        for wanted in (Filter(project=project, session_id=name), Filter(project=project, user=name)):
            [session] = run(list_sessions(warehouse, wanted, "start_time", "desc", 50)).rows
            [trace] = run(list_traces(warehouse, wanted, "start_time", "desc", 50)).rows
            assert (session.session_id, trace.trace_id) == (bounded_id(name), f"{number:032x}")
        [match] = run(search_session(warehouse, name, project, SearchFilter(text="said in"))).traces
        assert match.trace_id == f"{number:032x}"
