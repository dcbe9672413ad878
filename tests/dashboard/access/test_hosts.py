"""Which names the pages answer under, and the headers that every answer has."""

from __future__ import annotations

import pytest

from spanloom.dashboard.web.headers import HEADERS
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.visitor import Visitor, visitor


@pytest.fixture
def nowhere(unused_url: str) -> Warehouse:
    return connect(ClickHouseSettings(url=unused_url))


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:1234", "[::1]:8080", "LOCALHOST"])
def test_without_a_login_this_machines_own_names_are_answered(nowhere: Warehouse, host: str) -> None:
    assert visitor(nowhere).get("/login", host=host).status_code == 303


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil"]
)
def test_without_a_login_no_other_name_is(nowhere: Warehouse, host: str) -> None:
    for path in ("/sessions", "/api/sessions", "/login"):
        assert visitor(nowhere).get(path, host=host).status_code == 421


def test_names_can_be_added(nowhere: Warehouse) -> None:
    assert (
        visitor(nowhere, hosts="a.example, b.example").get("/login", host="b.example:80").status_code == 303
    )


@pytest.mark.parametrize(
    "path",
    [
        "/sessions",
        "/nowhere",
        "/api/sessions",
        "/api/nowhere",
        "/login",
        "/static/x/style.css",
        "/api/traces?limit=0",
    ],
)
def test_every_answer_has_the_security_headers(nowhere: Warehouse, path: str) -> None:
    headers = visitor(nowhere).get(path).headers
    for name in HEADERS.keys() - {"Cache-Control"}:
        assert headers[name] == HEADERS[name]
    assert "unsafe" not in headers["content-security-policy"]
    assert "server" not in headers


def test_a_fault_says_nothing_of_itself_and_has_the_headers(nowhere: Warehouse) -> None:
    guest = visitor(nowhere)

    async def broken(*_: object) -> None:
        raise RuntimeError("the secret reason")

    nowhere.run = broken  # type: ignore[method-assign, assignment]
    for path in ("/sessions", "/api/sessions"):
        answer = guest.get(path)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


def test_pages_and_answers_are_kept_nowhere_but_files_for_ever(nowhere: Warehouse) -> None:
    guest = visitor(nowhere)
    assert guest.get("/sessions").headers["cache-control"] == "no-store"
    assert guest.get("/api/sessions").headers["cache-control"] == "no-store"
    page = guest.get("/sessions").text
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in guest.get(style).headers["cache-control"]
    assert guest.get(style).headers["content-type"].startswith("text/css")
    assert guest.get("/static/older/style.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.js", "..%2fapp.py", "%2e%2e"])
def test_nothing_but_the_files_is_served(nowhere: Warehouse, name: str) -> None:
    assert visitor(nowhere).get(f"/static/x/{name}").status_code == 404


def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(nowhere: Warehouse) -> None:
    guest: Visitor = visitor(nowhere)
    page = guest.get("/nowhere")
    assert (page.status_code, "There is no page at this address" in page.text) == (404, True)
    assert guest.get("/api/nowhere").json() == {"error": "There is nothing here"}
