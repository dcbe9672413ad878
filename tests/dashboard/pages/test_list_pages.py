"""The pages of the lists, read as HTML: rows, states, and texts that stay texts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from spanloom.dashboard.rendering.printable import printable
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.visitor import Visitor, visitor
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import START

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "</title></textarea></style><svg onload=alert(1)>",
    "\u202egnp.exe \u2067\u200f",
    "a\u0000b",
    "<!--",
    "&lt;b&gt; &amp;",
)


class Tags(HTMLParser):
    """Every element with its attributes, and all text, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rows(html: str) -> list[str]:
    return re.findall(r'<tr [^>]*data-href="([^"]*)"', html)


@pytest.fixture
def guest(warehouse: Warehouse) -> Visitor:
    return visitor(warehouse)


@pytest.fixture
def away(unused_url: str) -> Visitor:
    return visitor(connect(ClickHouseSettings(url=unused_url)))


def test_before_any_span_the_page_says_how_to_send_one(warehouse: Warehouse) -> None:
    page = visitor(warehouse, otlp_url="http://otlp.example:4318").get("/sessions")
    assert page.status_code == 200
    assert "No spans have come yet" in page.text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://otlp.example:4318" in page.text
    assert "<table" not in page.text


def test_a_session_has_its_row_with_whole_totals(guest: Visitor, warehouse: Warehouse, project: str) -> None:
    costs = {"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}
    put_world(
        warehouse,
        trace(
            project,
            "s 1/ä",
            1,
            user_id="ada",
            tags=["a", "b", "c", "d"],
            input="Hello?",
            llm_call_count=2,
            input_tokens=1200,
            output_tokens=34,
            **costs,
        ),
        trace(project, "s 1/ä", 2, at=60, error_count=1, status="error"),
    )
    html = guest.get(f"/sessions?range=all&project={project}").text
    assert rows(html) == [f"/session?id=s+1%2F%C3%A4&amp;project={project}"]
    for part in (
        "Hello?",
        "1,200 → 34 (1,234)",
        "$0.75",
        "input $0.25, output $0.5",
        "1 min 2 s",
        "active 4.0 s",
        ">ada<",
        "+1",
    ):
        assert part in html, part


def test_a_trace_has_its_row(guest: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 7, name="turn 7", status="error", error_count=2, input="What?"))
    put_world(warehouse, trace(project, "", 8, name="alone"))
    html = guest.get(f"/traces?range=all&project={project}&sort=trace_id&order=asc").text
    assert rows(html) == [f"/traces/{number:032x}?project={project}" for number in (7, 8)]
    for part in ("turn 7", "What?", "status error", "/session?id=s&amp;project=", "none"):
        assert part in html, part


@pytest.mark.parametrize("path", ["/sessions", "/traces"])
def test_a_time_in_the_future_is_marked(
    guest: Visitor, warehouse: Warehouse, project: str, path: str
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2, minutes=5)
    put_world(warehouse, trace(project, "s", 1, at=soon.timestamp() - START, seconds=0))
    put_world(warehouse, trace(project, "t", 2, at=soon.timestamp() - START - 86_400, seconds=0))
    html = guest.get(f"{path}?range=all&project={project}").text
    marked = re.findall(r'<time [^>]*class="ahead" title="([^"]*)">([^<]*)<', html)
    times = 2 if path == "/sessions" else 1
    assert marked == [(f"{soon:%Y-%m-%d %H:%M:%S UTC}, ahead of the clock here", "in 2 h")] * times
    assert html.count("21 h ago") == times


@pytest.mark.parametrize("path", ["/sessions", "/traces"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(
    guest: Visitor, warehouse: Warehouse, project: str, path: str, text: str
) -> None:
    project = f"{project} {text}"
    put_world(
        warehouse,
        trace(project, text, 1, name=text, user_id=text, tags=[text], metadata=[(text, text)], services=[text],
              models=[text], input=text, output=text, status="ok"),
    )  # fmt: skip
    chosen = "" if "\0" in text else "&" + "&".join(
        f"{name}={re.sub('[^a-z]', lambda m: ''.join(f'%{b:02X}' for b in m[0].encode()), text)}"
        for name in ("q", "user", "tag", "model", "service", "session_id")
    )  # fmt: skip
    answer = guest.get(f"{path}?range=all{chosen}")
    assert answer.status_code == 200
    page = Tags(answer.text)
    assert "alert" not in "".join(str(tag) for tag, _ in page.tags)
    allowed = {"script": {"type", "src"}, "img": {"src", "alt", "width", "height"}}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        if tag in allowed:
            assert set(attributes) <= allowed[tag]
            assert (attributes["src"] or "").startswith("/static/")
        for name in ("href", "action", "src"):
            assert (attributes.get(name) or "/").startswith(("/", "#")), (tag, attributes)
    if not chosen:
        return
    assert any(printable(text) in (attributes.get("title") or "") for _, attributes in page.tags)


def test_a_mebibyte_of_text_is_a_short_row(guest: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1, input="x" * 2**20, output="y" * 2**20))
    html = guest.get(f"/traces?range=all&project={project}").text
    assert len(html) < 40_000


def test_nothing_matches_offers_a_way_out(guest: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1))
    html = guest.get(f"/sessions?range=1h&project={project}&user=nobody").text
    assert "Nothing matches" in html
    assert "Clear the filters" in html
    assert "Look further back" in html
    assert "range=30d" in html
    assert "Look further back" not in guest.get(f"/sessions?range=all&project={project}&user=nobody").text


def test_with_clickhouse_away_the_page_stays_and_says_so(away: Visitor) -> None:
    page = away.get("/sessions?user=ada&range=7d")
    assert page.status_code == 503
    assert "ClickHouse is away" in page.text
    assert 'value="ada"' in page.text, "the filters stay"
    assert 'data-state="trouble"' in page.text
    part = away.get("/sessions", spanloom_part="list")
    assert part.status_code == 503
    assert "out of reach" in part.json()["error"]
    assert part.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "query", ["range=8d", "from=x", "sort=x", "cursor=x", "limit=0", "colour=red", "min_cost=x"]
)
def test_an_address_that_makes_no_sense_says_why(guest: Visitor, query: str) -> None:
    page = guest.get(f"/sessions?{query}")
    assert page.status_code == 422
    assert "can&#39;t be asked" in page.text
    assert guest.get(f"/sessions?{query}", spanloom_part="list").json().keys() == {"error"}


def test_empty_fields_of_a_form_leave_the_address(guest: Visitor) -> None:
    answer = guest.get("/sessions?q=&user=ada&min_cost=&tag=+&tag=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions?user=ada&tag=a")


def test_the_refresh_gets_the_list_alone(guest: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, trace(project, "s", 1))
    part = guest.get(f"/sessions?range=all&project={project}", spanloom_part="list").text
    assert part.strip().startswith('<div id="list"')
    assert len(rows(part)) == 1
    assert "<html" not in part


def test_paging_by_links_shows_each_row_once(guest: Visitor, warehouse: Warehouse, project: str) -> None:
    put_world(warehouse, *(trace(project, f"s{number}", number) for number in range(7)))
    seen: list[str] = []
    path = f"/sessions?range=all&project={project}&limit=3&sort=session_id&order=asc"
    for _ in range(3):
        html = guest.get(path).text
        seen += rows(html)
        more = re.search(r'data-more rel="next" href="([^"]*)"', html)
        path = more[1].replace("&amp;", "&") if more else ""
    assert path == ""
    assert seen == [f"/session?id=s{number}&amp;project={project}" for number in range(7)]


def test_a_project_column_is_there_where_it_tells_something(guest: Visitor, warehouse: Warehouse) -> None:
    put_world(warehouse, trace("one", "s", 1), trace("two", "s", 2))
    guest._app.state.site.projects._known = ()
    assert ">Project<span" in guest.get("/sessions?range=all").text
    assert ">Project<span" not in guest.get("/sessions?range=all&project=one").text
