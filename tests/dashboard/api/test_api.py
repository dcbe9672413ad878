"""Each query's answer, its limits, and the sentence where it can't be answered."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from spanloom.spans.table import IS_CONTROL_FLOW
from spanloom.warehouse.client import Warehouse, WarehouseError, connect
from spanloom.warehouse.queries.ask import QueryLimits, TooBig, ask
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.client import Api
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import SECOND, START, STORED, put, spans

HOSTILE = (
    "a/b?c#d",
    "../..",
    "%2F",
    "🧵 ünï",
    'it\'s "q" `b` \\ {x:String}',
    "\t\n",
    "<script>",
    "x" * 1000,
    "0",
)


@pytest.mark.parametrize("session", HOSTILE)
def test_a_session_id_may_hold_any_characters(
    api: Api, warehouse: Warehouse, project: str, session: str
) -> None:
    put_world(warehouse, trace(project, session, 1, input="hi", metadata=[("k", session)]))
    assert api.get("session", id=session, project=project)["session_id"] == session
    assert api.get("session", id=session, project=project)["metadata"] == {"k": [session]}
    assert [card["number"] for card in api.get("session/traces", id=session, project=project)["rows"]] == [1]
    assert len(api.get("session/timeline", id=session, project=project)["traces"]) == 1
    assert len(api.get("session/search", id=session, project=project, q="HI")["traces"]) == 1
    assert [
        row["session_id"] for row in api.get("sessions", project=project, session_id=session)["rows"]
    ] == [session]
    assert len(api.get("sessions", project=project, metadata=f"k={session}")["rows"]) == 1


def test_the_first_input_that_is_not_empty_is_the_preview(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    put_world(
        warehouse,
        trace(project, "early", 1, at=0, input=""),
        trace(project, "early", 2, at=10, input="ä" * 300),
        trace(project, "early", 3, at=5, input="first"),
        trace(project, "late", 4, at=0, input=""),
        trace(project, "late", 5, at=9000, input="two hours later"),
        trace(project, "long", 6, at=9000, input="ä" * 300),
        trace(project, "silent", 7),
    )
    rows = api.get("sessions", project=project)["rows"]
    assert {row["session_id"]: row["input"] for row in rows} == {
        "early": "first",
        "late": "two hours later",
        "long": "ä" * 200,
        "silent": "",
    }


def test_times_have_microseconds_in_utc(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1))
    row = api.get("sessions", project=project)["rows"][0]
    assert row["start_time"].endswith(":00:00.000000Z")
    assert row["duration"] == 2


def test_cards_are_numbered_over_all_pages(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, *(trace(project, "s", number, at=-number) for number in range(1, 8)))
    cards = api.all_rows("session/traces", id="s", project=project, limit=3)
    assert [card["number"] for card in cards] == [1, 2, 3, 4, 5, 6, 7]
    assert [int(card["trace_id"], 16) for card in cards] == [7, 6, 5, 4, 3, 2, 1]


def test_a_moved_trace_is_in_its_new_session_only(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "old", 1), trace(project, "old", 2))
    put_world(
        warehouse,
        trace(project, "old", 1, version=STORED + 1, is_deleted=1),
        trace(project, "old", 2, version=STORED + 1),
        trace(project, "new", 1, version=STORED + 1, input="moved"),
    )
    rows = {row["session_id"]: row for row in api.get("sessions", project=project)["rows"]}
    assert {name: row["trace_count"] for name, row in rows.items()} == {"old": 1, "new": 1}
    assert [row["session_id"] for row in api.get("sessions", project=project, q="MOVED")["rows"]] == ["new"]
    assert [row["session_id"] for row in api.get("traces", project=project, sort="trace_id")["rows"]] == [
        "old",
        "new",
    ]


def put_spans(warehouse: Warehouse, project: str, *some: dict[str, Any]) -> None:
    base = {"project_id": project, "trace_id": f"{1:032x}"}
    put(warehouse, "spans_versions", spans(*(base | span for span in some)))


def at(second: int) -> dict[str, int]:
    """A second from START on, of a trace."""
    return {"start_time": (START + second) * SECOND, "end_time": (START + second + 1) * SECOND}


def stretches(trace: dict[str, Any]) -> list[tuple[str, int, float]]:
    """Kind, number of spans, and start of each, in s from the start of the trace."""
    start = datetime.fromisoformat(trace["start_time"])
    return [
        (
            part["kind"],
            part["span_count"],
            (datetime.fromisoformat(part["start_time"]) - start).total_seconds(),
        )
        for part in trace["stretches"]
    ]


def test_the_timeline_shows_calls_tools_and_errors(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1, seconds=10))
    put_spans(
        warehouse,
        project,
        {"span_id": "a", "span_type": "CHAIN", "status": "error"},
        {"span_id": "b", "span_type": "LLM"} | at(0),
        {"span_id": "c", "span_type": "TOOL"} | at(2),
        {"span_id": "d", "span_type": "TOOL", "status": "error", "parent_span_id": "a"} | at(4),
        {"span_id": "e", "span_type": "CHAIN", "status": "error"} | at(6),
        {"span_id": "f", "parent_span_id": "e", "status": "error", "is_deleted": 1} | at(8),
        {"span_id": "g", "status": "error", "marks": IS_CONTROL_FLOW} | at(9),
    )
    [found] = api.get("session/timeline", id="s", project=project)["traces"]
    assert stretches(found) == [
        ("llm", 1, 0),
        ("tool", 1, 2),
        ("error", 1, 4),
        ("tool", 1, 4),
        ("error", 1, 6),
    ]


def test_what_was_asked_before_changes_no_answer(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1))
    put_spans(warehouse, project, {"span_id": "a", "span_type": "LLM"})
    answers = [api.get("session/timeline", id="s", project=project)["traces"] for _ in range(3)]
    assert [len(found[0]["stretches"]) for found in answers] == [1, 1, 1]
    assert len(api.get(f"traces/{1:032x}", project=project)["spans"]) == 1


def test_the_timeline_is_made_of_all_spans(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1, seconds=2), trace(project, "s", 2, at=60, seconds=2))
    milli = SECOND // 1000
    start = (START + 60) * SECOND
    put_spans(
        warehouse,
        project,
        *(  # one call after another, a pause, and again
            {
                "trace_id": f"{2:032x}",
                "span_id": f"{n:016x}",
                "span_type": "LLM",
                "start_time": start + (n + (n >= 399) * 800) * milli,
                "end_time": start + (n + 1 + (n >= 399) * 800) * milli,
            }
            for n in range(800)
        ),
        {"trace_id": f"{1:032x}", "span_id": "long", "span_type": "TOOL", "end_time": (START + 2) * SECOND},
        *(  # one within another's time, and beside it
            {
                "trace_id": f"{1:032x}",
                "span_id": f"{n}",
                "span_type": "TOOL",
                "start_time": START * SECOND + n * milli,
            }
            | {"end_time": START * SECOND + (n + 1) * milli}
            for n in (100, 1500)
        ),
    )
    first, second = api.get("session/timeline", id="s", project=project)["traces"]
    assert stretches(first) == [("tool", 3, 0)]
    assert stretches(second) == [("llm", 399, 0), ("llm", 401, 1.199)]


def test_the_timeline_shows_the_newest_version_of_a_span(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    put_world(warehouse, trace(project, "s", 1))
    newest = (
        {"span_id": "a", "span_type": "CHAIN"},
        {"span_id": "b", "span_type": "LLM", "is_deleted": 1},
        {"span_id": "c", "span_type": "LLM", "name": "newest"},
    )
    for version in (2, 1, 3):  # each in an insert of its own, the newest neither first nor alone
        some = (
            newest
            if version == 3
            else [{"span_id": n, "span_type": "TOOL", "status": "error"} for n in "abc"]
        )
        put_spans(warehouse, project, *(span | {"version": version} for span in some))
    [bar] = api.get("session/timeline", id="s", project=project)["traces"]
    assert [(part["kind"], part["span_count"], part["name"]) for part in bar["stretches"]] == [
        ("llm", 1, "newest")
    ]


def test_search_finds_in_every_place_and_shows_where(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(
        warehouse, trace(project, "s", 1, name="Straße", tags=["Prüfung"]), trace(project, "s", 2, at=9)
    )
    long = "x" * 5000 + " ПРИВЕТ " + "y" * 5000
    put_spans(
        warehouse,
        project,
        {"span_id": "a", "input": long, "output": "привет, ПРИВЕТ", "span_type": "LLM", "model": "m"},
        {"span_id": "b", "status": "error", "status_message": "privet 100% failed_x", "tags": ["T'ag"]},
    )

    def found(**asked: Any) -> list[tuple[str, str]]:
        answer = api.get("session/search", id="s", project=project, **asked)
        assert answer["next"] is None
        return [
            (span.get("span_id", "trace"), snippet["field"])
            for match in answer["traces"]
            for span in (match, *match["spans"])
            for snippet in span["snippets"]
        ]

    assert found(q="привет") == [("a", "input"), ("a", "output")]
    assert found(q="STRASSE") == []
    assert found(q="straße") == [("trace", "name")]
    assert found(q="0% Failed_X") == [("b", "error")]
    assert found(q="PRÜF") == [("trace", "tags")]
    assert found(q="t'AG") == [("b", "tags")]
    assert found(q="привет", model="m", type="LLM") == [("a", "input"), ("a", "output")]
    assert found(q="привет", status="error") == []
    [match] = api.get("session/search", id="s", project=project, q="привет")["traces"]
    snippet, other = match["spans"][0]["snippets"]
    [(start, end)] = snippet["ranges"]
    assert snippet["text"][start:end] == "ПРИВЕТ"
    assert (snippet["cut_before"], snippet["cut_after"]) == (True, True)
    assert other["ranges"] == [[0, 6], [8, 14]]
    [match] = api.get("session/search", id="s", project=project, status="error")["traces"]
    assert [span["span_id"] for span in match["spans"]] == ["b"]


def test_a_trace_is_a_tree_without_texts_and_a_span_is_whole(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    event = {"name": "exception", "time": START * SECOND, "attributes": [("exception.stacktrace", "at x")]}
    put_spans(
        warehouse,
        project,
        {
            "span_id": "a",
            "input": "heavy",
            "attributes": [("k", "v")],
            "events": [event],
            "resource": [("r", "1")],
        },
    )
    tree = api.get(f"traces/{1:032X}", project=project)
    assert tree["trace"] is None  # its row comes a moment later
    assert tree["complete"]
    assert tree["spans"][0]["event_count"] == 1
    assert "input" not in tree["spans"][0]
    whole = api.get(f"traces/{1:032x}/spans/a", project=project)
    assert (whole["input"], whole["attributes"], whole["resource"]) == ("heavy", {"k": "v"}, {"r": "1"})
    assert whole["events"][0]["attributes"] == {"exception.stacktrace": "at x"}
    put_world(warehouse, trace(project, "s", 1))
    assert api.get(f"traces/{1:032x}", project=project)["trace"]["session_id"] == "s"


def test_the_histogram_fills_the_range_and_counts_what_began_before_in_its_first_bucket(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    put_world(
        warehouse,
        trace(project, "before", 1, at=-7000, seconds=8000, total_cost=0.1, error_count=2),
        trace(project, "within", 2, at=1800, total_cost=0.2),
    )
    shown = api.get("histogram", project=project, from_=START, to=START + 3600)
    assert shown["bucket_seconds"] == 60
    assert len(shown["buckets"]) == 61
    counts = {number: bucket for number, bucket in enumerate(shown["buckets"]) if bucket["count"]}
    assert {number: (b["count"], b["cost"], b["errors"]) for number, b in counts.items()} == {
        0: (1, 0.1, 2),
        30: (1, 0.2, 0),
    }


def test_facets_are_what_occurs_in_the_range(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(
        warehouse,
        trace(project, "a", 1, models=["m", "n"], user_id="u"),
        trace(project, "b", 2, models=["m"], tags=["t"]),
        trace(project, "c", 3, at=90_000, models=["later"]),
    )
    for kind in ("sessions", "traces"):
        found = api.get("facets", project=project, kind=kind, to=START + 3600)
        assert found["models"] == [{"value": "m", "count": 2}, {"value": "n", "count": 1}]
        assert found["users"] == [{"value": "u", "count": 1}]
        assert found["tags"] == [{"value": "t", "count": 1}]


@pytest.mark.parametrize(
    ("path", "asked", "sentence"),
    [
        ("sessions", {"sort": "colour"}, "'sort' is wrong"),
        ("sessions", {"colour": "red"}, "no parameter 'colour'"),
        ("sessions", {"from_": "yesterday"}, "'from' is wrong"),
        ("sessions", {"from_": "1960-01-01"}, "between 1970 and 2262"),
        ("sessions", {"min_cost": "nan"}, "'min_cost' is wrong"),
        ("sessions", {"min_tokens": "-1"}, "'min_tokens' is wrong"),
        ("sessions", {"metadata": "key"}, "key=value"),
        ("sessions", {"cursor": "bm8"}, "cursor does not belong"),
        ("sessions", {"q": "x" * 1001}, "'q' is wrong"),
        ("sessions", {"q": "\0"}, "U+0000"),
        ("sessions", {"limit": 501}, "'limit' is wrong"),
        ("session", {}, "'id' is wrong"),
        ("session/search", {"id": "s"}, "Say what to look for"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    api: Api, path: str, asked: dict[str, Any], sentence: str
) -> None:
    answer = api.answer(path, **asked)
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]


def test_a_cursor_is_good_for_its_own_list_only(api: Api, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "a", 1), trace(project, "b", 2))
    cursor = api.get("sessions", project=project, limit=1)["next"]
    assert api.answer("sessions", project=project, cursor=cursor, sort="duration").status_code == 422
    assert api.answer("traces", project=project, cursor=cursor).status_code == 422


@pytest.mark.parametrize(
    "path", ["session?id=nobody", "traces/ff", "traces/ff/spans/aa", "session/traces?id=x"]
)
def test_what_is_not_there_is_404(api: Api, path: str) -> None:
    answer = api.answer(path.partition("?")[0], **({"id": "nobody"} if "?" in path else {}))
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("There is no such")


def test_clickhouse_away_is_503(unused_url: str) -> None:
    answer = Api(connect(ClickHouseSettings(url=unused_url))).answer("sessions")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "out of reach" in answer.json()["error"]


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (QueryLimits(rows_read=10), "would read more than 10 rows"),
        (QueryLimits(rows_answered=10), "has too big an answer"),
        (QueryLimits(memory_bytes=2_000_000), "needs more memory"),
        (QueryLimits(seconds=0.1), "took longer than 0.1 s"),
    ],
)
def test_a_query_has_limits_that_end_in_a_sentence(
    warehouse: Warehouse, limits: QueryLimits, sentence: str
) -> None:
    sql = "SELECT cityHash64(number) AS n FROM numbers(1000000000) GROUP BY n ORDER BY n"
    if limits.rows_answered == 10:
        sql = "SELECT number FROM numbers(100)"
    with pytest.raises(TooBig, match=f"To count to a billion .*{sentence}.*: choose a shorter range"):
        asyncio.run(ask(warehouse, "count to a billion", sql, {}, limits))


@pytest.mark.parametrize("sql", ["DROP VIEW sessions", "INSERT INTO traces_versions (trace_id) VALUES ('x')"])
def test_a_query_changes_nothing_whoever_the_caller(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError, match="readonly"):
        asyncio.run(ask(warehouse, "read", sql, {}))
    assert asyncio.run(warehouse.query_rows("count", "SELECT count() AS n FROM sessions"))


def test_every_query_is_answered_to_a_read_only_user(warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1, input="hi"))
    put_spans(warehouse, project, {"span_id": "a", "span_type": "LLM", "input": "hi"})
    for readonly in ("1", "2"):
        settings = warehouse.settings.model_copy(update={"settings": {"readonly": readonly}})
        api = Api(connect(settings))
        for path, asked in (
            ("projects", {}),
            ("sessions", {"q": "hi", "from_": START}),
            ("sessions", {"from_": START}),
            ("traces", {"q": "hi"}),
            ("histogram", {}),
            ("facets", {}),
            ("session", {"id": "s"}),
            ("session/traces", {"id": "s"}),
            ("session/timeline", {"id": "s"}),
            ("session/search", {"id": "s", "q": "hi"}),
            (f"traces/{1:032x}", {}),
            (f"traces/{1:032x}/spans/a", {}),
        ):
            scope = {} if path == "projects" else {"project": project}
            assert api.answer(path, **asked, **scope).status_code == 200


def test_the_document_describes_every_route_and_field(api: Api) -> None:
    document = api.get("openapi.json")
    assert len(document["paths"]) == 16
    for path in document["paths"].values():
        assert path["get"]["description"]
        assert {"404", "422", "503"} <= path["get"]["responses"].keys()
