"""Files of the API: what is in them, what is told of their bounds, and whose data is not in them."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
from markdown_it import MarkdownIt

from spanloom.dashboard.api import exports
from spanloom.dashboard.exports.tables import TableFormat
from spanloom.spans.reading.stored.messages import plain_rows
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.sessions import list as sessions_list
from spanloom.warehouse.queries.traces import list as traces_list
from spanloom.warehouse.queries.traces import whole
from tests.dashboard.client import Api
from tests.dashboard.visitor import visitor
from tests.dashboard.world import put_world, trace
from tests.spans.reading.otlp_examples import event, request, span
from tests.spans.reading.stored.rereading import differences, stored
from tests.warehouse.tables import SECOND, START, put, spans

FENCE = "# no heading\n````\n```\n# no heading either\r~~~\r\n<script>alert(1)</script>\n- [x](javascript:1)"


def read(form: str, content: bytes) -> list[dict[str, Any]]:
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    if form == "jsonl":
        return [json.loads(line) for line in content.splitlines()]
    found: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return found


@pytest.mark.parametrize("form", get_args(TableFormat))
@pytest.mark.parametrize("kind", ["sessions", "traces"])
def test_a_file_has_the_rows_of_the_list_in_its_order(
    api: Api, warehouse: Warehouse, project: str, kind: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sessions_list, traces_list):
        monkeypatch.setattr(module, "KEYS_AT_ONCE", 4)
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 3)
    put_world(
        warehouse,
        *(
            trace(project, f"s{n}", n, seconds=n % 4 + 1, tags=["even"] if n % 2 else [], total_cost=n / 7)
            for n in range(1, 24)
        ),
        trace("another", "s1", 99, tags=["even"]),
    )
    asked: dict[str, Any] = {"project": project, "sort": "duration", "order": "asc", "tag": "even"}
    listed = api.all_rows(kind, **asked)
    answer = api.answer(f"{kind}/export", format=form, **asked)
    assert answer.status_code == 200
    assert answer.headers["spanloom-left-off"] == "0"
    rows = read(form, answer.content)
    name = f"{kind[:-1]}_id"
    assert [row[name] for row in rows] == [row[name] for row in listed]
    assert len(rows) == 12
    assert [float(row["total_cost"]) for row in rows] == [row["total_cost"] for row in listed]


@pytest.mark.parametrize("kind", ["sessions", "traces"])
def test_the_bound_is_told(
    api: Api, warehouse: Warehouse, project: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 5)
    put_world(warehouse, *(trace(project, f"s{n}", n) for n in range(1, 9)))
    answer = api.answer(f"{kind}/export", format="jsonl", project=project)
    assert len(answer.content.splitlines()) == 5
    assert answer.headers["spanloom-left-off"] == "3"
    assert "-first-5-of-8.jsonl" in answer.headers["content-disposition"]


def tool(number: int, **values: Any) -> dict[str, Any]:
    return {
        "trace_id": f"{1:032x}",
        "span_id": f"{number:016x}",
        "span_type": "TOOL",
        "start_time": (START + number) * SECOND,
        "end_time": (START + number + 1) * SECOND,
    } | values


def put_session(warehouse: Warehouse, project: str) -> None:
    put_world(
        warehouse,
        trace(project, "s/../\r\n# x", 1, name="# turn\n# two", input=FENCE, output="answer", span_count=40),
        trace(project, "s/../\r\n# x", 2, at=60, input="second", span_count=1, error_count=1),
    )
    some = [tool(n, name=f"t{n}", input=f'{{"n":{n}}}', output=FENCE) for n in range(1, 41)]
    some.append(
        tool(41, trace_id=f"{2:032x}", span_type="CHAIN", status="error", status_message="went wrong")
    )
    put(
        warehouse,
        "spans_versions",
        spans(*({"project_id": project, "session_id": "s"} | one for one in some)),
    )


def export(api: Api, project: str, form: str) -> Any:
    return api.answer("session/export", id="s/../\r\n# x", project=project, format=form)


def test_a_session_as_json_has_all_its_spans_whole(api: Api, warehouse: Warehouse, project: str) -> None:
    put_session(warehouse, project)
    put(warehouse, "spans_versions", spans(tool(1, project_id="another", input="secret")))
    answer = export(api, project, "json")
    found = json.loads(answer.content)
    first, second = found["traces"]
    assert [one["name"] for one in first["spans"]] == [f"t{n}" for n in range(1, 41)]
    assert first["spans"][0]["output"] == FENCE
    assert first["spans"][3] == api.get(f"traces/{1:032x}/spans/{4:016x}", project=project)
    assert second["spans"][0]["status_message"] == "went wrong"
    assert (found["complete"], found["left_off"]) == (True, {"traces": 0, "spans": 0})
    assert found["session"] == api.get("session", id="s/../\r\n# x", project=project)
    assert b"secret" not in answer.content
    assert answer.headers["content-disposition"] == 'attachment; filename="spanloom-session-s-x.json"'


@pytest.mark.parametrize("most", [33, 40])
def test_what_of_a_session_is_left_off_is_told_at_its_end(
    api: Api,
    warehouse: Warehouse,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    put_session(warehouse, project)
    given = whole.whole_session
    monkeypatch.setattr(exports, "whole_session", partial(given, most_spans=most))
    found = json.loads(export(api, project, "json").content)
    assert [len(one["spans"]) for one in found["traces"]] == [most]
    assert found["traces"][0]["complete"] == (most == 40)
    assert (found["complete"], found["left_off"]) == (False, {"traces": 1, "spans": 41 - most})
    text = export(api, project, "markdown").text
    assert f"This is not the whole session: 1 traces and {41 - most} spans are left out" in text
    assert ("The last spans of this trace are left out" in text) == (most == 33)


def test_markdown_says_where_a_question_or_answer_is_only_its_beginning(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    put_world(
        warehouse,
        trace(project, "s/../\r\n# x", 1, input="x" * 4096, output="y" * 4095),
        trace(project, "s/../\r\n# x", 2, at=9, output="z" * 4096),
    )
    text = export(api, project, "markdown").text
    places = [text.index(part) for part in ("xxxx", "This is its beginning", "yyyy", "zzzz")]
    assert places == sorted(places)
    assert text.count("This is its beginning") == 2
    assert text.rstrip().endswith("This is its beginning: no span was found that has more of it.*")


def test_texts_of_strangers_do_not_break_a_sessions_markdown(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    put_session(warehouse, project)
    text = export(api, project, "markdown").text
    tokens = MarkdownIt("commonmark").parse(text)
    headings = [
        (token.tag, tokens[at + 1].children[0].content)  # type: ignore[index]
        for at, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    turn = [("h3", "Input"), *(("h3", f"Tool: t{n}") for n in range(1, 41)), ("h3", "Output")]
    assert headings == [
        ("h1", "Session s/../ # x"),
        ("h2", "1. # turn # two"),
        *turn,
        ("h2", "2. turn"),
        ("h3", "Input"),
        ("h3", "Error in unnamed"),
        ("h3", "Output"),
    ]
    fences = [token.content for token in tokens if token.type == "fence"]
    said = FENCE.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    assert fences.count(said) == 41
    assert fences[1] == '{\n  "n": 1\n}\n'
    assert "went wrong\n" in fences
    assert not [token for token in tokens if token.type.startswith("html")]
    assert "This is not the whole session" not in text


def test_a_question_that_is_longer_than_its_preview_is_whole(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    long = "ä" * 5000 + " the end"
    put_world(warehouse, trace(project, "s", 1, input=long[:4096], output="o" * 4096))
    messages = json.dumps([{"role": "system", "content": "x"}, {"role": "user", "content": long}])
    one = {"project_id": project, "trace_id": f"{1:032x}", "span_id": "a" * 16, "span_type": "LLM"}
    put(warehouse, "spans_versions", spans(one | {"input": messages, "input_preview": long[:4096]}))
    found = api.get("session/export", id="s", project=project, format="json")
    assert found["traces"][0]["trace"]["input"] == long
    assert found["traces"][0]["trace"]["output"] == "o" * 4096


def test_a_trace_as_otlp_is_read_into_the_rows_it_came_from(
    api: Api, warehouse: Warehouse, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "_SPANS_AT_ONCE", 2)
    names = ("plain", "", "🧵 </script>", "\x1b[0m", "last")
    sent = [
        span(
            {"k": name, "gen_ai.prompt": f"say {name}", "gen_ai.usage.input_tokens": n},
            name=name,
            span_id=bytes([n + 1] * 8),
            events=[event("exception", {"exception.message": name}, time=1_795_410_262_693_225_633)],
        )
        for n, name in enumerate(names)
    ]
    rows = stored([request(*sent)], project=project)
    put(warehouse, "spans_versions", rows)
    [row, *_] = plain_rows(rows)
    for form in ("json", "protobuf"):
        answer = api.answer(f"traces/{row['trace_id']}/otlp", project=project, format=form)
        assert answer.status_code == 200
        assert answer.headers["spanloom-left-off"] == "0"
        assert differences(rows, stored([answer.content], project=project)) == []


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("sessions/export", {}, 422),
        ("sessions/export", {"format": "xlsx"}, 422),
        ("traces/export", {"format": "csv", "limit": 3}, 422),
        ("session/export", {"id": "nobody", "format": "json"}, 404),
        ("traces/ff/otlp", {}, 404),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    api: Api, path: str, asked: dict[str, Any], status: int
) -> None:
    answer = api.answer(path, **asked)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert "content-disposition" not in answer.headers


def test_the_lists_menu_leads_to_the_list_as_a_file(warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, *(trace(project, f"s{n}", n, tags=["a b"] if n > 2 else []) for n in range(1, 6)))
    somebody = visitor(warehouse)
    page = somebody.get(
        f"/sessions?range=all&project={project}&tag=a+b&sort=session_id&order=asc&limit=1"
    ).text
    address = (
        f"/sessions/export?range=all&amp;project={project}&amp;tag=a+b&amp;sort=session_id&amp;order=asc"
    )
    assert f'href="{address}&amp;format=csv"' in page
    answer = somebody.get(f"{address}&format=csv".replace("&amp;", "&"))
    assert [row["session_id"] for row in read("csv", answer.content)] == ["s3", "s4", "s5"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert somebody.get("/sessions/export?format=xlsx").status_code == 422
    assert somebody.get("/traces/export?format=csv").headers["content-type"].startswith("text/csv")
