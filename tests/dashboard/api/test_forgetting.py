"""Requests to forget: who may make them, what they count, and what is refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from spanloom.dashboard.access.cookies import Cookies, cookie_name
from spanloom.dashboard.access.passwords import hash_of
from spanloom.dashboard.access.users import User, entry
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.forgetting.audit import Entry, Step, note
from spanloom.forgetting.requests import Request, Requests
from spanloom.forgetting.selection import Selection
from spanloom.kafka.settings import KafkaSettings
from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor
from tests.dashboard.world import put_world, trace

PASSWORD = "correct horse battery"
_HASH = hash_of(PASSWORD)
_COOKIES = Cookies("s" * 32, 3600)

_ONE = "say what to forget: one of session, user, trace and before"

FORBIDDEN = (403, {"error": "You may not have anything forgotten in this project"})
MISSING = (404, {"error": "There is no such request, or none that you may see"})


class Written(Requests):
    """Requests as they would go to Kafka."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings())
        self.requests: list[Request] = []

    async def append(self, request: Request) -> None:
        """Keep it."""
        self.requests.append(request)


class Desk:
    """A dashboard with the users ada, who may have things forgotten in one project, and bob, in another."""

    def __init__(self, warehouse: Warehouse, folder: Path, mine: str) -> None:
        file = folder / "users.toml"
        yours = f"{mine}-yours"
        file.write_text(
            entry("ada", _HASH, [mine, yours], [mine])
            + entry("bob", _HASH, [yours], [yours])
            + entry("eve", _HASH, ["*"])
        )
        self.mine, self.yours = mine, yours
        self.written = Written()
        settings = DashboardSettings(users_file=str(file), forget=True, secret="s" * 32)
        self._app = dashboard_app(warehouse, settings, requests=self.written)

    def visitor(self, name: str) -> Visitor:
        """Somebody who has logged in."""
        visitor = Visitor(self._app)
        visitor.cookies.set(cookie_name(secure=False), _COOKIES.login(User(name, _HASH, None)))
        return visitor


@pytest.fixture
def desk(warehouse: Warehouse, tmp_path: Path, project: str) -> Desk:
    """Two sessions in one project, and one of the same name in the other."""
    desk = Desk(warehouse, tmp_path, project)
    put_world(
        warehouse,
        trace(desk.mine, "s", 1, span_count=3, user_id="ada"),
        trace(desk.mine, "s", 2, at=60, span_count=2),
        trace(desk.mine, "t", 3, at=90, span_count=1),
        trace(desk.yours, "s", 4, span_count=7),
    )
    return desk


def ask(visitor: Visitor, **body: Any) -> tuple[int, Any]:
    answer = visitor.submit("/api/forget", json.dumps(body).encode())
    return answer.status_code, answer.json()


def status(visitor: Visitor, ticket: str, project: str) -> tuple[int, Any]:
    answer = visitor.get(f"/api/forget/{ticket}?project={project}")
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("what", "amount"),
    [
        ({"session": "s"}, (2, 5, 1)),
        ({"session": "none"}, (0, 0, 0)),
        ({"user": "ada"}, (1, 3, 1)),
        ({"trace": f"{3:032X}"}, (1, 1, 1)),
        ({"before": "2200-01-01"}, (3, 6, 2)),
        ({"before": "1970-01-02T00:00:00+14:00"}, (0, 0, 0)),
    ],
)
def test_a_dry_run_counts_and_asks_for_nothing(
    desk: Desk, what: dict[str, str], amount: tuple[int, int, int]
) -> None:
    counts = dict(zip(("traces", "spans", "sessions"), amount, strict=True))
    found = ask(desk.visitor("ada"), project=desk.mine, dry_run=True, **what)
    assert found == (200, {"dry_run": True, **counts})
    assert desk.written.requests == []


def test_a_request_is_written_and_can_be_followed(desk: Desk, warehouse: Warehouse) -> None:
    ada = desk.visitor("ada")
    code, said = ask(ada, project=desk.mine, session="s")
    assert code == 202
    waits = {
        "id": said["id"],
        "project": desk.mine,
        "status": "waiting",
        "kind": "session",
        "traces": 0,
        "spans": 0,
        "begun": None,
        "ended": None,
    }
    assert said == waits
    [request] = desk.written.requests
    assert request == Request(said["id"], "ada", Selection(desk.mine, "session", "s"))
    assert status(ada, said["id"], desk.mine) == (200, waits | {"kind": ""})

    def add(step: Step, traces: int, spans: int) -> Any:
        asyncio.run(note(warehouse, Entry(request.id, "ada", request.selection), step, traces, spans))
        found = status(ada, said["id"], desk.mine)
        assert found[0] == 200
        return found[1]

    begun = add("begun", 2, 5)
    assert (begun["status"], begun["kind"], begun["traces"], begun["spans"]) == ("running", "session", 2, 5)
    assert (begun["begun"] is None, begun["ended"] is None) == (False, True)
    again = add("begun", 0, 0)
    assert (again["status"], again["traces"], again["begun"]) == ("running", 2, begun["begun"])
    done = add("done", 0, 0)
    assert (done["status"], done["traces"], done["spans"]) == ("done", 2, 5)
    assert done["ended"] >= done["begun"]


def test_one_that_failed_says_so(desk: Desk, warehouse: Warehouse) -> None:
    ada = desk.visitor("ada")
    _, said = ask(ada, project=desk.mine, user="ada")
    [request] = desk.written.requests
    asyncio.run(note(warehouse, Entry(request.id, "ada", request.selection), "failed"))
    assert status(ada, said["id"], desk.mine)[1]["status"] == "failed"


def test_nobody_without_the_right_may(desk: Desk) -> None:
    for name, project in (("ada", desk.yours), ("bob", desk.mine), ("eve", desk.mine), ("ada", "nobody's")):
        for dry in (True, False):
            # What is there and what is not are the same to them.
            for session in ("s", "none"):
                found = ask(desk.visitor(name), project=project, session=session, dry_run=dry)
                assert found == FORBIDDEN, (name, project)
    assert desk.written.requests == []


def test_nobody_without_a_login_may(desk: Desk) -> None:
    stranger = Visitor(desk.visitor("ada")._app)
    assert ask(stranger, project=desk.mine, session="s") == (401, {"error": "Log in first"})
    assert status(stranger, "0" * 48, desk.mine)[0] == 401
    assert desk.written.requests == []


def test_a_request_of_another_is_as_one_that_is_not_there(desk: Desk, warehouse: Warehouse) -> None:
    ada, bob, eve = (desk.visitor(name) for name in ("ada", "bob", "eve"))
    _, said = ask(ada, project=desk.mine, session="s")
    for _ in ("waiting", "running"):
        assert status(bob, said["id"], desk.mine) == FORBIDDEN
        assert status(eve, said["id"], desk.mine) == FORBIDDEN
        assert status(bob, said["id"], desk.yours) == MISSING
        assert status(bob, "0" * 48, desk.yours) == MISSING
        [request] = desk.written.requests
        asyncio.run(note(warehouse, Entry(request.id, "ada", request.selection), "begun", 2, 5))
    assert status(ada, said["id"][:-1], desk.mine)[0] == 422
    assert status(ada, "0" * 48, desk.mine) == MISSING


def test_other_sites_ask_for_nothing(desk: Desk) -> None:
    ada = desk.visitor("ada")
    body = json.dumps({"project": desk.mine, "session": "s"}).encode()
    for headers in (
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "", "origin": "https://evil.example"},
        {"sec_fetch_site": "cross-site", "content_type": "text/plain"},
    ):
        assert ada.submit("/api/forget", body, **headers).status_code == 403, headers
    # A form of a page of our own can't send it either: only a script or a program says that it sends JSON.
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "json",
    ):
        answer = ada.submit("/api/forget", body, content_type=kind)
        assert (answer.status_code, answer.json()) == (
            415,
            {"error": "Send JSON, with Content-Type: application/json"},
        ), kind
    assert desk.written.requests == []
    assert ada.submit("/api/forget", body, content_type="Application/JSON; charset=utf-8").status_code == 202


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is no JSON object"),
        (b"\xff\xfe", "The body is no JSON object"),
        (b"[" * 60_000, "The body is no JSON object"),
        (b"[]", "The body is no JSON object"),
        (b"null", "The body is no JSON object"),
        (b'"text"', "The body is no JSON object"),
        (b"{}", "The parameter 'project' is wrong: Field required"),
        (b'{"project": "p"}', _ONE),
        (
            b'{"project": "p", "session": "s", "user": "u"}',
            _ONE,
        ),
        (b'{"project": "p", "session": null}', _ONE),
        (b'{"project": "p", "sesion": "s"}', "There is no parameter 'sesion'"),
        (b'{"project": "p", "session": "s", "dryrun": true}', "There is no parameter 'dryrun'"),
        (
            b'{"project": "p", "session": 7}',
            "The parameter 'session' is wrong: Input should be a valid string",
        ),
        (
            b'{"project": "p", "session": ["s"]}',
            "The parameter 'session' is wrong: Input should be a valid string",
        ),
        (
            b'{"project": {"a": 1}, "session": "s"}',
            "The parameter 'project' is wrong: Input should be a valid string",
        ),
        (b'{"project": "p", "session": "s", "dry_run": "false"}', "The parameter 'dry_run' is wrong"),
        (b'{"project": "p", "session": "s", "dry_run": 0}', "The parameter 'dry_run' is wrong"),
        (b'{"project": "p", "session": "a\\u0000b"}', "must not hold the character U+0000"),
        (b'{"project": "p", "session": "\\ud800"}', "The body is no JSON object"),
        (b'{"project": "p", "session": "' + b"s" * 10_001 + b'"}', "at most 10000 characters"),
    ],
)
def test_what_is_no_request_is_one_sentence(desk: Desk, body: bytes, sentence: str) -> None:
    answer = desk.visitor("ada").submit("/api/forget", body)
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]
    assert desk.written.requests == []


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"session": ""}, "a name that is empty stands for nothing: name what to forget, and its project"),
        ({"user": ""}, "a name that is empty stands for nothing: name what to forget, and its project"),
        ({"trace": "%"}, "a trace ID has 32 hexadecimal digits"),
        ({"before": "soon"}, "before is no date: write one such as 2026-11-23"),
        ({"before": "0001-01-01T00:00:00+14:00"}, "before is no date: write one such as 2026-11-23"),
    ],
)
def test_what_can_not_be_meant_is_one_sentence(desk: Desk, what: dict[str, str], sentence: str) -> None:
    code, said = ask(desk.visitor("ada"), project=desk.mine, **what)
    assert code == 422
    assert said["error"].startswith(sentence)
    assert desk.written.requests == []


def test_a_huge_body_is_not_read(desk: Desk) -> None:
    ada = desk.visitor("ada")
    answer = ada.submit("/api/forget", b'{"project": "' + b"p" * 2**20)
    assert (answer.status_code, answer.json()) == (
        413,
        {"error": "A request to forget has at most 65,536 bytes"},
    )


def test_a_dashboard_that_takes_none_says_which_setting_is_missing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    file = tmp_path / "users.toml"
    file.write_text(entry("ada", _HASH, ["*"], ["*"]))
    visitor = Visitor(dashboard_app(warehouse, DashboardSettings(users_file=str(file))))
    visitor.log_in("ada", PASSWORD)
    said = {
        "error": "This dashboard takes no requests to forget: set SPANLOOM_DASHBOARD__FORGET=true and"
        " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
    }
    for dry in (True, False):
        assert ask(visitor, project="shop", session="s", dry_run=dry) == (501, said)
    assert status(visitor, "0" * 48, "shop") == (501, said)


def test_without_users_nobody_may(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="forget is set without users_file"):
        DashboardSettings(forget=True)
    anybody = Visitor(dashboard_app(warehouse, DashboardSettings(), requests=Written()))
    assert ask(anybody, project="shop", session="s") == FORBIDDEN


def test_whom_a_proxy_names_may_what_the_users_file_says(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[[user]]\nname = "ada"\nprojects = ["shop"]\nforget = ["shop"]\n')
    settings = DashboardSettings(
        users_file=str(file),
        forget=True,
        proxy_user_header="X-User",
        proxy_addresses="192.0.2.1",
        proxy_projects="*",
    )
    through = Visitor(dashboard_app(warehouse, settings, requests=Written()))
    body = b'{"project": "shop", "session": "s"}'
    assert through.submit("/api/forget", body, x_user="ada").status_code == 202
    assert through.submit("/api/forget", body, x_user="bob").status_code == 403
    assert through.submit("/api/forget", body).status_code == 403


def test_it_is_described(desk: Desk) -> None:
    described = desk.visitor("ada").get("/api/openapi.json").json()["paths"]
    post = described["/api/forget"]["post"]
    assert {"200", "202", "401", "403", "413", "415", "422", "501", "503"} <= set(post["responses"]) | {"401"}
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"project", "session", "user", "trace", "before", "dry_run"}
    assert "get" in described["/api/forget/{ticket}"]
