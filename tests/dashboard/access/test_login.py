"""A login with a password: who gets in, who does not, and who sees what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanloom import watched_file
from spanloom.dashboard.access.passwords import hash_of
from spanloom.dashboard.access.users import UsersError, entry
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.visitor import Visitor, visitor
from tests.dashboard.world import put_world, trace

_HASH = hash_of("correct horse battery")


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    file = tmp_path / "users.toml"
    file.write_text(entry("ada", _HASH, ["*"]) + entry("bob", _HASH, ["shop"]) + entry("eve", _HASH, []))
    return file


@pytest.fixture
def nowhere(unused_url: str) -> Warehouse:
    """A warehouse that nobody asks."""
    return connect(ClickHouseSettings(url=unused_url))


@pytest.fixture
def guest(nowhere: Warehouse, users_file: Path) -> Visitor:
    return visitor(nowhere, host="0.0.0.0", users_file=str(users_file))


@pytest.mark.parametrize("path", ["/sessions", "/traces?user=ada&q=a%26b"])
def test_a_page_leads_to_the_login_and_back(guest: Visitor, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 303
    form = guest.get(answer.headers["location"])
    assert form.status_code == 200
    onward = re.search(r'name="next" value="([^"]*)"', form.text)
    assert onward is not None
    answer = guest.log_in("ada", "correct horse battery", path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)


@pytest.mark.parametrize("path", ["/api/sessions", "/api/projects", "/api/session?id=a", "/api/facets"])
def test_the_api_says_401(guest: Visitor, path: str) -> None:
    answer = guest.get(path)
    assert (answer.status_code, answer.json()) == (401, {"error": "Log in first"})


def test_a_part_of_a_page_says_401(guest: Visitor) -> None:
    assert guest.get("/sessions", spanloom_part="list").status_code == 401


def test_every_address_but_the_login_and_its_files_needs_one(guest: Visitor) -> None:
    paths = [path for path, methods in guest.routes() if "GET" in methods]
    assert {"/sessions", "/session", "/api/sessions"} <= set(paths)
    open_paths = set()
    for path in paths:
        if guest.get(re.sub(r"{\w+}", "0" * 16, path)).status_code not in (303, 401):
            open_paths.add(path)
    # The document describes the API and holds nobody's data. The start page leads to one that asks.
    assert open_paths <= {"/login", "/static/{asked}/{name}", "/api/openapi.json", "/"}


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("nobody", "correct horse battery"),
        ("ADA", "correct horse battery"),
        ("", ""),
        ("ada", "x" * 2000),
    ],
)
def test_a_wrong_name_or_password_gets_one_answer(guest: Visitor, name: str, password: str) -> None:
    answer = guest.log_in(name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert guest.get("/api/projects").status_code == 401


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""],
)
def test_the_way_on_never_leads_elsewhere(guest: Visitor, onward: str) -> None:
    assert guest.log_in("ada", "correct horse battery", onward).headers["location"] == "/sessions"


def test_the_cookie_is_for_the_server_alone(guest: Visitor) -> None:
    cookie = guest.log_in("ada", "correct horse battery").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_over_tls_the_cookie_is_secure_and_of_this_host(nowhere: Warehouse, users_file: Path) -> None:
    app = dashboard_app(
        nowhere, DashboardSettings(host="0.0.0.0", users_file=str(users_file), proxy_addresses="192.0.2.1")
    )
    guest = Visitor(app, base="https://spanloom.example")
    answer = guest.post(
        "/login",
        {"next": "/", "name": "ada", "password": "correct horse battery"},
        x_forwarded_proto="https",
    )
    assert answer.headers["set-cookie"].startswith("__Host-spanloom-login=")
    assert "Secure" in answer.headers["set-cookie"]


def test_a_forged_or_changed_cookie_is_nobodys(guest: Visitor) -> None:
    guest.log_in("bob", "correct horse battery")
    good = guest.cookies["spanloom-login"]
    # Not the last character: some of its bits say nothing.
    changed = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]
    for forged in (changed, "x" + good, "", "..", good.split(".")[0]):
        guest.cookies.set("spanloom-login", forged, domain="127.0.0.1")
        assert guest.get("/api/projects").status_code == 401, forged


def test_a_cookie_of_another_secret_is_nobodys(nowhere: Warehouse, users_file: Path) -> None:
    settings = {"host": "0.0.0.0", "users_file": str(users_file)}
    first = visitor(nowhere, secret="a" * 32, **settings)
    first.log_in("ada", "correct horse battery")
    second = visitor(nowhere, secret="b" * 32, **settings)
    second.cookies = first.cookies
    assert second.get("/api/projects").status_code == 401
    third = visitor(nowhere, secret="a" * 32, **settings)
    third.cookies = first.cookies
    assert third.get("/api/projects").status_code == 503, "known; it is ClickHouse that is away"


def test_a_new_password_and_a_removed_user_end_logins(
    guest: Visitor, users_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_file, "LOOK", 0)
    guest.log_in("ada", "correct horse battery")
    assert guest.get("/api/projects").status_code == 503
    text = users_file.read_text()
    users_file.write_text(entry("ada", hash_of("another one entirely"), ["*"]))
    assert guest.get("/api/projects").status_code == 401
    users_file.write_text(text)
    assert guest.get("/api/projects").status_code == 503
    users_file.write_text("broken")
    assert guest.get("/api/projects").status_code == 503, "a file that can't be read changes nothing"
    users_file.write_text("")
    assert guest.get("/api/projects").status_code == 401


def test_logging_out_ends_the_login(warehouse: Warehouse, users_file: Path) -> None:
    guest = visitor(warehouse, host="0.0.0.0", users_file=str(users_file))
    guest.log_in("ada", "correct horse battery")
    page = guest.get("/sessions")
    assert "Logged in as ada" in page.text
    assert '<form method="post" action="/logout">' in page.text
    assert guest.post("/logout", {}).headers["location"] == "/login"
    assert guest.get("/sessions").status_code == 303


def test_a_long_form_is_refused(guest: Visitor) -> None:
    assert guest.post("/login", {"name": "x" * 20_000}).status_code == 403


def test_tries_are_throttled(guest: Visitor) -> None:
    for _ in range(5):
        assert guest.log_in("ada", "wrong").status_code == 401
    answer = guest.log_in("ada", "correct horse battery")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert "Too many tries" in answer.text
    assert guest.log_in("bob", "correct horse battery").status_code == 303, "others get in"
    elsewhere = Visitor(guest._app, client="198.51.100.7")
    assert elsewhere.log_in("ada", "correct horse battery").status_code == 303, "from elsewhere ada gets in"


def test_each_user_sees_the_projects_granted(warehouse: Warehouse, users_file: Path) -> None:
    put_world(
        warehouse,
        trace("shop", "s-shop", 1, user_id="x", input="in the shop"),
        trace("lab", "s-lab", 2, user_id="y", input="in the lab"),
    )
    seen = {}
    app = dashboard_app(warehouse, DashboardSettings(host="0.0.0.0", users_file=str(users_file)))
    for name in ("ada", "bob", "eve"):
        guest = Visitor(app)
        guest.log_in(name, "correct horse battery")
        page = guest.get("/sessions?range=all").text + guest.get("/traces?range=all").text
        seen[name] = ("s-shop" in page, "s-lab" in page)
        projects = set(guest.get("/api/projects").json()["projects"])
        assert ("shop" in projects, "lab" in projects) == seen[name]
        assert (guest.get("/api/session?id=s-lab").status_code == 200) == seen[name][1]
        asked = guest.get("/sessions?range=all&project=lab").text
        assert ("s-lab" in asked) == seen[name][1]
        assert seen[name][1] or "lab</option>" not in page
    assert seen == {"ada": (True, True), "bob": (True, False), "eve": (False, False)}


def test_a_user_without_projects_sees_why_the_page_is_empty(
    warehouse: Warehouse, users_file: Path, project: str
) -> None:
    users_file.write_text(entry("eve", _HASH, []) + entry("fay", _HASH, [f"{project} <b>"]))
    app = dashboard_app(warehouse, DashboardSettings(host="0.0.0.0", users_file=str(users_file)))
    pages = {}
    for name in ("eve", "fay"):
        guest = Visitor(app)
        guest.log_in(name, "correct horse battery")
        pages[name] = guest.get("/sessions").text
    assert "You may not see any project yet" in pages["eve"]
    assert f"that you may see: {project} &lt;b&gt;." in pages["fay"]


def test_a_users_file_that_can_not_be_read_stops_the_start(nowhere: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(UsersError, match=r"users file .* can't be read: No such file"):
        visitor(nowhere, users_file=str(tmp_path / "none"))


def test_on_loopback_too_a_users_file_asks_for_a_login(nowhere: Warehouse, users_file: Path) -> None:
    assert visitor(nowhere, users_file=str(users_file)).get("/sessions").status_code == 303


def test_without_users_there_is_nothing_to_log_in_to(nowhere: Warehouse) -> None:
    guest = visitor(nowhere)
    assert guest.get("/login").headers["location"] == "/sessions"
    assert guest.post("/login", {"name": "a"}).status_code == 403
