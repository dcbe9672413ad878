"""What a turn of a session loads when asked: its steps as transcript and tree, and the whole of long texts."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from spanloom.spans.table import IS_CONTROL_FLOW
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.traces.whole_text import whole_text
from tests.dashboard.visitor import Visitor, visitor
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import SECOND, START, put, run, spans

LONG = "A long question, and it goes on. " * 400
ANSWER = "An answer that does not end. " * 400
TRACE = f"{1:032x}"


@pytest.fixture
def somebody(warehouse: Warehouse) -> Visitor:
    return visitor(warehouse)


def put_spans(warehouse: Warehouse, project: str, *some: dict[str, Any]) -> None:
    put(
        warehouse,
        "spans_versions",
        spans(*({"project_id": project, "trace_id": TRACE} | span for span in some)),
    )


def get(who: Visitor, path: str, code: int = 200, **parameters: object) -> str:
    answer = who.get(f"{path}?{urlencode(parameters)}")
    assert answer.status_code == code, answer.text
    return answer.text


def at(second: int) -> dict[str, int]:
    """A second from START on, of a trace."""
    return {"start_time": (START + second) * SECOND, "end_time": (START + second + 1) * SECOND}


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_steps_tell_what_was_said_and_done_in_order(
    somebody: Visitor, warehouse: Warehouse, project: str
) -> None:
    put_world(warehouse, trace(project, "s", 1))
    put_spans(
        warehouse,
        project,
        {"span_id": "a", "name": "the agent", "span_type": "AGENT", "input": "never shown"},
        {"span_id": "b", "name": "chat", "span_type": "LLM", "parent_span_id": "a", "input": "history",
         "output": json.dumps([{"role": "assistant", "content": "I **look** for it"}])} | at(1),
        {"span_id": "c", "name": "find", "span_type": "TOOL", "parent_span_id": "a", "status": "error",
         "input": '{"city": "Lisbon"}', "status_message": "no <b>such</b> city"} | at(2),
        {"span_id": "d", "name": "chat", "span_type": "LLM", "parent_span_id": "a", "output": "x" * 20_001} | at(3),
    )  # fmt: skip
    part = get(somebody, f"/traces/{TRACE}/steps", project=project)
    transcript, tree = part.split('<ol class="step-tree"')
    places = [words(transcript).index(text) for text in ("I look for it", "Lisbon", "no <b>such</b> city")]
    assert places == sorted(places)
    assert "<b>such" not in transcript
    assert transcript.count('<li class="step ') == 3
    assert "history" not in transcript
    assert "A text that is longer stands in the details" in transcript
    assert [int(depth) for depth in re.findall(r'data-depth="(\d+)"', tree)] == [0, 1, 1, 1]
    assert f'data-part="/traces/{TRACE}/spans/c?project={project}"' in transcript


def test_a_span_that_only_groups_is_a_step_where_an_error_began(
    somebody: Visitor, warehouse: Warehouse, project: str
) -> None:
    put_world(warehouse, trace(project, "s", 1))
    put_spans(
        warehouse,
        project,
        {"span_id": "a", "name": "outer", "span_type": "AGENT", "status": "error"},
        {"span_id": "b", "name": "inner", "parent_span_id": "a", "span_type": "CHAIN", "status": "error"},
    )
    transcript = get(somebody, f"/traces/{TRACE}/steps", project=project).split('<ol class="step-tree"')[0]
    assert "inner" in transcript
    assert "outer" not in transcript


def test_a_trace_of_more_steps_says_so(somebody: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1))
    put_spans(warehouse, project, *({"span_id": f"{n:016x}", "span_type": "LLM"} for n in range(301)))
    part = get(somebody, f"/traces/{TRACE}/steps", project=project)
    assert part.count('<li class="step ') == 100
    assert "These are the first 100" in words(part)
    assert part.count("data-depth=") == 300
    assert "The other 1 spans stand in the trace" in words(part)


@pytest.mark.parametrize("stored", ["message", "attribute"])
def test_the_whole_of_a_long_text_is_shown(
    somebody: Visitor, warehouse: Warehouse, project: str, stored: str
) -> None:
    put_world(warehouse, trace(project, "s", 1, input=LONG[:4096], output=ANSWER[:4096]))
    others = ({"span_id": f"{n}", "input": "x" * 5000, "span_type": "LLM"} for n in range(3))
    given = json.dumps([{"role": "system", "content": "s"}, {"role": "user", "content": LONG}])
    put_spans(
        warehouse,
        project,
        *others,
        {"span_id": "b", "span_type": "LLM", "input": given, "output": ANSWER}
        if stored == "message"
        else {
            "span_id": "b",
            "attributes": [("langfuse.trace.input", LONG), ("langfuse.trace.output", ANSWER)],
        },
    )
    for side, text in (("user", LONG), ("assistant", ANSWER)):
        part = get(somebody, f"/traces/{TRACE}/text", project=project, side=side)
        assert text.strip() in words(part)
        assert "This is its beginning" not in part
    page = get(somebody, "/session", id="s", project=project)
    assert page.count('class="muted small whole"') == 2
    assert html.escape(f"/traces/{TRACE}/text?project={project}&side=user") in page


def test_where_no_span_has_more_it_says_so(somebody: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1, input=LONG[:4096]))
    part = get(somebody, f"/traces/{TRACE}/text", project=project, side="user")
    assert "no span of the trace has more of it" in part
    assert LONG[:4000] in words(part)


def test_the_text_of_a_hidden_project_is_not_there(warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1, input=LONG[:4096]))
    put_spans(warehouse, project, {"span_id": "b", "input": LONG})
    for asked in (None, project):
        assert run(whole_text(warehouse, TRACE, "user", asked, frozenset(("another",)))) is None
    found = run(whole_text(warehouse, TRACE, "user", project, frozenset((project,))))
    assert found is not None
    assert (found.text.strip(), found.is_whole) == (LONG.strip(), True)


def test_a_trace_that_is_not_there_has_no_steps_and_no_text(somebody: Visitor) -> None:
    for path, more in (("steps", {}), ("text", {"side": "user"})):
        answer = get(somebody, f"/traces/{9:032x}/{path}", 404, **more)
        assert "There is no such trace, or none that you may see" in answer


def test_a_card_says_what_failed_and_how_long_the_session_rested(
    somebody: Visitor, warehouse: Warehouse, project: str
) -> None:
    put_world(
        warehouse,
        trace(project, "s", 1, error_count=5, failure_count=4),
        trace(project, "s", 2, at=600),
        trace(project, "s", 3, at=7202 + 600, seconds=9000),
        trace(project, "s", 4, at=7300 + 600),
    )
    put_spans(
        warehouse,
        project,
        {"span_id": "a", "name": "outer", "status": "error", "status_message": "for what is inside"},
        {"span_id": "b", "name": "told", "parent_span_id": "a", "status": "error",
         "status_message": "<i>out of</i> stock"},
        {"span_id": "c", "name": "raised", "parent_span_id": "a", "status": "error", "events": [
            {"name": "exception", "time": START * SECOND, "attributes": [("exception.message", "boom")]}]},
        {"span_id": "d", "name": "mute", "parent_span_id": "a", "status": "error"},
        {"span_id": "e", "name": "one more", "parent_span_id": "a", "status": "error"},
        {"span_id": "0", "name": "asks a person", "parent_span_id": "b", "status": "error", "marks": IS_CONTROL_FLOW},
    )  # fmt: skip
    page = words(get(somebody, "/session", id="s", project=project))
    for expected in (
        "told <i>out of</i> stock",
        "raised boom",
        "mute failed and does not say why",
        "and 1 more",
    ):
        assert expected in page
    assert "for what is inside" not in page
    assert "asks a person" not in page
    answer = somebody.get(
        f"/api/session/traces?{urlencode({'id': 's', 'project': project, 'limit': 3})}"
    ).json()
    more = {"id": "s", "project": project, "cursor": answer["next"]}
    rows = [*answer["rows"], *somebody.get(f"/api/session/traces?{urlencode(more)}").json()["rows"]]
    assert [row["pause"] for row in rows] == [None, 598, 7200, -8902]
    assert page.count(" later ") == 1
