"""The session page as an answer: totals, cards, timeline, search, and what it says where something is wrong."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest

from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.visitor import Visitor, visitor
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import HOUR, SECOND, START, put, spans


@pytest.fixture
def somebody(warehouse: Warehouse) -> Visitor:
    return visitor(warehouse)


def get(who: Visitor, path: str, code: int = 200, **parameters: object) -> str:
    answer = who.get(f"{path}?{urlencode(parameters, doseq=True)}")
    assert answer.status_code == code, answer.text
    return answer.text


@pytest.fixture
def talk(warehouse: Warehouse, project: str) -> str:
    """A session `s/1` of three traces; the last comes two hours later and failed."""
    put_world(
        warehouse,
        trace(project, "s/1", 1, 0, input="Hello **you**", output="Hi", models=["gpt-4o"], tags=["beta"],
              user_id="ann", input_tokens=1200, output_tokens=34, total_cost=0.5, llm_call_count=1, span_count=2),
        trace(project, "s/1", 2, 60, 30, input='{"a": 1}', output="x" * 4096, user_id="bob"),
        trace(project, "s/1", 3, 2 * HOUR, name="charge", status="error", error_count=1, user_id="ann",
              metadata=[("plan", "<gold>")]),
    )  # fmt: skip
    put(
        warehouse,
        "spans_versions",
        spans(
            {"project_id": project, "trace_id": f"{1:032x}", "span_id": f"{1:016x}", "name": "chat", "span_type": "LLM",
             "input": "the <b>needle</b> lies here", "end_time": (START + 1) * SECOND},
        ),
    )  # fmt: skip
    return project


def test_the_header_has_the_whole_sessions_totals(somebody: Visitor, talk: str) -> None:
    page = get(somebody, "/session", id="s/1", project=talk)
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    for expected in (
        "2 h",
        "1,200 → 34 (1,234)",
        "$0.5",
        "Traces 3",
        "LLM calls 1",
        "Errors 1",
        "ann",
        "bob",
        "beta",
        "gpt-4o",
    ):
        assert expected in text
    assert 'data-copy="s/1"' in page
    assert "plan" in page
    assert "&lt;gold&gt;" in page


def test_the_conversation_reads_from_top_to_bottom(somebody: Visitor, talk: str) -> None:
    page = get(somebody, "/session", id="s/1", project=talk)
    places = [
        page.index(part)
        for part in ("1/3", "Hello <strong>you</strong>", "<p>Hi</p>", "2/3", '<span class="j-key">', "3/3")
    ]
    assert places == sorted(places)
    assert "It failed before it answered" in page
    assert page.count("This is its beginning") == 1
    assert f'href="/traces/{1:032x}?project={talk}"' in page
    assert f'data-copy="{1:032x}"' in page
    assert f'data-copy-from="/api/traces/{1:032x}?project={talk}"' in page


def test_a_long_session_comes_in_parts(somebody: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, *(trace(project, "long", n, n, input=f"question {n}.") for n in range(1, 61)))
    page = get(somebody, "/session", id="long", project=project)
    assert page.count("<article") == 25
    assert "25/60" in page
    following = re.search(r'href="(/session\?[^"]*after=[^"]*)"', page)
    cursor = re.search(r'data-cursor="([^"]*)"', page)
    assert following
    assert cursor
    without_scripts = somebody.get(html.unescape(following[1])).text
    assert "26/60" in without_scripts
    assert "25/60" not in without_scripts
    part = get(somebody, "/session/cards", id="long", project=project, cursor=cursor[1], limit=100)
    assert part.lstrip().startswith("<article")
    assert part.count("<article") == 35
    assert "60/60" in part
    assert "next-cards" not in part


def test_the_timeline_is_drawn_where_it_is_asked_for(somebody: Visitor, talk: str) -> None:
    assert '<svg class="timeline"' not in get(somebody, "/session", id="s/1", project=talk)
    page = get(somebody, "/session", id="s/1", project=talk, view="timeline")
    part = get(somebody, "/session/timeline", id="s/1", project=talk)
    for drawn in (page, part):
        assert drawn.count('class="bar"') == 3
        assert "1 gap collapsed" in drawn
        assert f'href="#trace-{2:032x}"' in drawn
        assert "style=" not in drawn
    assert 'aria-expanded="true"' in page


def test_search_shows_where_the_text_is(somebody: Visitor, talk: str) -> None:
    page = get(somebody, "/session", id="s/1", project=talk, q="NEEDLE")
    part = get(somebody, "/session/search", id="s/1", project=talk, q="NEEDLE")
    for found in (page, part):
        assert "1 trace matches" in re.sub(r"<[^>]+>", "", found)
        assert "the &lt;b&gt;<mark>needle</mark>&lt;/b&gt; lies here" in found
        assert f"/traces/{1:032x}?project={talk}&amp;span={1:016x}" in found
    assert 'value="NEEDLE"' in page


def test_search_filters_and_says_where_nothing_matches(somebody: Visitor, talk: str) -> None:
    found = get(
        somebody, "/session/search", id="s/1", project=talk, status="error", q="", min_cost="", type=""
    )
    assert 'class="match"' in found
    assert "charge" in found
    none = get(somebody, "/session/search", id="s/1", project=talk, q="nowhere")
    assert "Nothing matches in" in none
    assert get(somebody, "/session/search", id="s/1", project=talk, q="").strip() == ""


def test_a_form_with_a_wrong_number_says_so(somebody: Visitor, talk: str) -> None:
    assert "min_duration" in get(somebody, "/session", 422, id="s/1", project=talk, min_duration="-1")


def test_an_unknown_session_is_not_found(somebody: Visitor, talk: str) -> None:
    for path in ("/session", "/session/cards", "/session/timeline", "/session/search"):
        assert "There is no such session" in get(somebody, path, 404, id="no", project=talk)


def test_a_session_of_several_projects_asks_which(somebody: Visitor, warehouse: Warehouse, talk: str) -> None:
    put_world(warehouse, trace(f"{talk}-b", "s/1", 9))
    page = get(somebody, "/session", 409, id="s/1")
    assert f"{talk}-b" in page
    assert "1/1" in get(somebody, "/session", id="s/1", project=f"{talk}-b")


def test_nobody_sees_a_project_that_was_not_granted(warehouse: Warehouse, talk: str) -> None:
    pages = [f"/session?id=s/1&project={talk}", f"/traces/{1:032x}?project={talk}"]
    parts = [f"/session/{part}?id=s/1&project={talk}" for part in ("timeline", "search", "cards")]
    paths = [*pages, *parts, f"/traces/{1:032x}/spans/{1:016x}?project={talk}"]
    for granted, status in ((talk, 200), ("another", 404)):
        who = visitor(
            warehouse, proxy_user_header="X-User", proxy_addresses="192.0.2.1", proxy_projects=granted
        )
        assert [who.get(path, X_User="ada").status_code for path in paths] == [status] * len(paths)


def test_while_clickhouse_is_away_the_page_says_so(unused_url: str) -> None:
    away = connect(ClickHouseSettings(url=unused_url, connect_timeout=1))
    try:
        who = visitor(away)
        assert "data-retry" in get(who, "/session", 503, id="s")
        assert "data-retry" in get(who, f"/traces/{1:032x}", 503)
    finally:
        away.close()
