"""What was said behind the previews is searched too: from the bytes of a span to the lists, and nothing that was
replaced or is another's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spanloom.spans.folding.contribution import WindowKey
from spanloom.spans.folding.facts import facts_of
from spanloom.spans.folding.rows import TraceRow, trace_table
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.table import LONGEST_SEARCH, PREVIEW_CHARACTERS
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.sessions.list import list_sessions
from spanloom.warehouse.queries.traces.list import list_traces
from tests.spans.reading.otlp_examples import START, TRACE_ID, read, request, span
from tests.warehouse.tables import partial, put, run, window

SECOND = 1_000_000_000
CUT = "the last words before it and the first ones after"
"""A phrase whose middle stands where a preview ends."""

Message = dict[str, Any]


def long_text(phrase: str, at: int) -> str:
    """A text with a phrase around the character `at`."""
    before = at - len(phrase) // 2 - 1
    return "x" * before + f" {phrase} " + "y" * 9000


def message(role: str, text: str) -> Message:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def put_call(
    warehouse: Warehouse, project: str, asked: str, answered: str = "Well.", version: int = 1, **fields: Any
) -> None:
    """A trace of one call of a model, as a worker reads and writes it, in session `s`."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": "s",
        "gen_ai.input.messages": json.dumps([message("user", asked)]),
        "gen_ai.output.messages": json.dumps([message("assistant", answered)]),
    }
    table = read(request(span(attributes, **fields), resource={"spanloom.project_id": project})).table
    table = table.append_column("version", pa.array(np.full(len(table), version, np.uint64)))
    put(warehouse, "spans_versions", table.append_column("is_deleted", pa.array([0], pa.uint8())))
    [(key, facts)] = facts_of(table)
    begun = START // SECOND // 3600 * 3600
    row = TraceRow(key, WindowKey(project, "s", begun), version, fold(key, facts))
    put(warehouse, "traces_versions", trace_table([row]))
    times = {"window_start": begun, "start_time": START, "end_time": START + SECOND}
    put(warehouse, "session_windows_versions", partial(window(project, "s", 0, version=version) | times))


def found(warehouse: Warehouse, project: str | None, text: str, **wanted: Any) -> tuple[int, int]:
    """How many sessions and traces the lists show for a text."""
    chosen = Filter(project=project, text=text, **wanted)
    sessions = run(list_sessions(warehouse, chosen, "start_time", "desc", 50)).rows
    traces = run(list_traces(warehouse, chosen, "start_time", "desc", 50)).rows
    return len(sessions), len(traces)


@pytest.mark.parametrize("side", ["asked", "answered"])
@pytest.mark.parametrize("at", [PREVIEW_CHARACTERS, PREVIEW_CHARACTERS + 4000, 2 * PREVIEW_CHARACTERS])
def test_a_phrase_is_found_wherever_a_message_has_it(
    warehouse: Warehouse, project: str, side: str, at: int
) -> None:
    texts = {"asked": "Hello?", "answered": "Well."} | {side: long_text(CUT, at)}
    put_call(warehouse, project, texts["asked"], texts["answered"])
    for text in (CUT, CUT.upper(), CUT[-9:]):
        assert found(warehouse, project, text) == (1, 1), text
    assert found(warehouse, project, "words never said") == (0, 0)


def test_the_longest_search_reaches_over_the_cut(warehouse: Warehouse, project: str) -> None:
    """One character before the preview's end is the least that a search over it can have there."""
    phrase = "".join(chr(0x4E00 + number) for number in range(LONGEST_SEARCH))
    put_call(warehouse, project, "x" * (PREVIEW_CHARACTERS - 1) + phrase)
    put_call(
        warehouse, project, "x" * (PREVIEW_CHARACTERS - LONGEST_SEARCH + 1) + phrase, trace_id=TRACE_ID[::-1]
    )
    assert found(warehouse, project, phrase) == (1, 2)


def test_nothing_is_found_across_the_two_texts(warehouse: Warehouse, project: str) -> None:
    put_call(warehouse, project, "x" * 5000 + " question", "y" * 5000)
    assert found(warehouse, project, "x question") == (1, 1)
    assert found(warehouse, project, "questiony") == (0, 0)


def test_words_of_a_span_that_was_sent_again_without_them_are_gone(
    warehouse: Warehouse, project: str
) -> None:
    put_call(warehouse, project, long_text("a secret", 6000))
    assert found(warehouse, project, "a secret") == (1, 1)
    put_call(warehouse, project, long_text("nothing", 6000), version=2)
    assert found(warehouse, project, "a secret") == (0, 0)
    assert found(warehouse, project, "nothing") == (1, 1)


def test_words_of_other_projects_are_not_found(warehouse: Warehouse, project: str) -> None:
    """Also where a trace there has the same ID."""
    put_call(warehouse, project, "Hello?")
    put_call(warehouse, f"{project}-other", long_text("a secret", 6000))
    assert found(warehouse, project, "a secret") == (0, 0)
    assert found(warehouse, None, "a secret", visible=frozenset({project})) == (0, 0)
    assert found(warehouse, None, "a secret", visible=frozenset({project, f"{project}-other"})) == (1, 1)
    assert found(warehouse, None, "a secret", visible=frozenset()) == (0, 0)


def test_a_range_of_time_holds_for_them_too(warehouse: Warehouse, project: str) -> None:
    put_call(warehouse, project, long_text("in the middle", 6000))
    start = datetime.fromtimestamp(START / 1e9, UTC)
    hour = timedelta(hours=1)
    assert found(warehouse, project, "in the middle", since=start - hour, until=start + hour) == (1, 1)
    assert found(warehouse, project, "in the middle", since=start + hour) == (0, 0)
    assert found(warehouse, project, "in the middle", until=start - hour) == (0, 0)
