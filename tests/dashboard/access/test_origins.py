"""Cross-site request forgery: forms that another site has a browser send, to log somebody in or out, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers

from spanloom.dashboard.access.origins import is_own
from spanloom.dashboard.access.passwords import hash_of
from spanloom.dashboard.access.users import entry
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.visitor import Visitor, visitor

LOGIN = {"name": "ada", "password": "correct horse battery", "next": "/sessions"}

OWN: list[dict[str, str]] = [
    {"sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "same-origin", "origin": "http://127.0.0.1:8080"},
    {"sec_fetch_site": "none"},
    {"origin": "http://127.0.0.1:8080"},
    # TLS may end at a proxy, so the scheme says nothing.
    {"origin": "https://127.0.0.1:8080"},
]

FOREIGN: list[dict[str, str]] = [
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": ""},
    # What a browser says beats what else may fit.
    {"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:8080"},
    {"origin": "https://evil.example"},
    {"origin": "http://127.0.0.1:8081"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:8080.evil.example"},
    {"origin": "http://evil.example/127.0.0.1:8080"},
    {"origin": "file://127.0.0.1:8080"},
    {"origin": "127.0.0.1:8080"},
    # A sandboxed frame, a page that sends no referrer, a redirect over another site.
    {"origin": "null"},
    # No browser of today, so none that says where it was sent from.
    {"origin": ""},
]


@pytest.fixture
def guest(unused_url: str, tmp_path: Path) -> Visitor:
    file = tmp_path / "users.toml"
    file.write_text(entry("ada", hash_of("correct horse battery"), ["*"]))
    nowhere: Warehouse = connect(ClickHouseSettings(url=unused_url))
    return visitor(nowhere, host="0.0.0.0", users_file=str(file))


def is_logged_in(guest: Visitor) -> bool:
    return guest.get("/api/projects").status_code != 401


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_logs_nobody_in(guest: Visitor, headers: dict[str, str]) -> None:
    answer = guest.post("/login", LOGIN, **headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert "not sent by a page of the dashboard" in answer.text
    assert not is_logged_in(guest)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_logs_nobody_out(guest: Visitor, headers: dict[str, str]) -> None:
    guest.log_in("ada", "correct horse battery")
    assert is_logged_in(guest)
    answer = guest.post("/logout", {}, **headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert is_logged_in(guest)


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_a_page_of_our_own_logs_in_and_out(guest: Visitor, headers: dict[str, str]) -> None:
    assert guest.post("/login", LOGIN, **headers).status_code == 303
    assert is_logged_in(guest)
    assert guest.post("/logout", {}, **headers).status_code == 303
    assert not is_logged_in(guest)


def test_a_form_that_does_not_say_where_it_comes_from_is_refused() -> None:
    assert not is_own(Headers({"host": "spanloom.example"}))
    assert not is_own(Headers({}))


def test_a_port_that_is_the_usual_one_is_named_by_neither() -> None:
    assert is_own(Headers({"host": "Spanloom.example", "origin": "https://spanloom.example"}))
    assert is_own(Headers({"host": "[::1]:8080", "origin": "http://[::1]:8080"}))


def test_every_address_that_takes_more_than_questions_refuses_other_sites(guest: Visitor) -> None:
    changing = {path for path, methods in guest.routes() if methods - {"GET", "HEAD"}}
    assert changing == {"/login", "/logout", "/api/forget"}
    for path in changing | {"/", "/sessions", "/api/projects", "/none"}:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = guest.send(method, path, sec_fetch_site="cross-site")
            assert answer.status_code == 403, (method, path)
