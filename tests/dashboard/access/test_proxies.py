"""Behind a reverse proxy: whom it lets in, and whose headers are believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spanloom.dashboard.access.passwords import hash_of
from spanloom.dashboard.access.users import entry
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor
from tests.dashboard.world import put_world, trace

PROXY = "10.1.2.3"


def behind_proxy(warehouse: Warehouse, client: str = PROXY, **settings: Any) -> Visitor:
    given = {
        "host": "0.0.0.0",
        "proxy_addresses": "10.0.0.0/8, fd00::/8",
        "proxy_user_header": "x-user",
        **settings,
    }
    return Visitor(dashboard_app(warehouse, DashboardSettings(**given)), client=client)


@pytest.fixture
def two_projects(warehouse: Warehouse) -> Warehouse:
    put_world(warehouse, trace("shop", "s-shop", 1), trace("lab", "s-lab", 2))
    return warehouse


def projects(guest: Visitor, **headers: str | bytes) -> set[str]:
    answer = guest.get("/api/projects", **headers)
    assert answer.status_code == 200, answer.text
    return set(answer.json()["projects"])


def test_whom_the_proxy_names_sees_what_all_of_its_users_may(two_projects: Warehouse) -> None:
    guest = behind_proxy(two_projects, proxy_projects="shop")
    assert projects(guest, x_user="ada") == {"shop"}
    assert projects(behind_proxy(two_projects, proxy_projects="*"), x_user="ada") == {"shop", "lab"}
    assert "Logged in as ada" in guest.get("/sessions", x_user="ada").text
    assert "Log out" not in guest.get("/sessions", x_user="ada").text, "the proxy does that"


def test_the_users_file_grants_by_name(two_projects: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[[user]]\nname = "ada"\nprojects = ["lab"]\n')
    guest = behind_proxy(two_projects, users_file=str(file))
    assert projects(guest, x_user="ada") == {"lab"}
    assert guest.get("/sessions", x_user="bob").status_code == 403
    both = behind_proxy(two_projects, users_file=str(file), proxy_projects="shop")
    assert projects(both, x_user="ada") == {"lab"}
    assert projects(both, x_user="bob") == {"shop"}


@pytest.mark.parametrize("client", ["192.0.2.1", "11.0.0.1", "::1", "testclient"])
def test_the_header_of_anybody_else_is_not_believed(warehouse: Warehouse, client: str) -> None:
    guest = behind_proxy(warehouse, client, proxy_projects="*")
    answer = guest.get("/sessions", x_user="ada", x_forwarded_for=PROXY)
    assert answer.status_code == 403
    assert "through its reverse proxy only" in answer.text
    assert guest.get("/api/sessions", x_user="ada").status_code == 403


@pytest.mark.parametrize("client", ["10.255.0.1", "fd00::7", "::ffff:10.0.0.1"])
def test_addresses_of_the_proxy(warehouse: Warehouse, client: str) -> None:
    assert behind_proxy(warehouse, client, proxy_projects="*").get("/sessions", x_user="a").status_code == 200


def test_without_a_name_nobody_gets_in(warehouse: Warehouse) -> None:
    guest = behind_proxy(warehouse, proxy_projects="*")
    assert guest.get("/sessions").status_code == 403
    assert guest.get("/sessions", x_user=" ").status_code == 403


def test_a_password_is_no_way_around_the_proxy(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text(entry("ada", hash_of("correct horse battery"), ["*"]))
    guest = behind_proxy(warehouse, users_file=str(file))
    assert guest.post("/login", {"name": "ada", "password": "correct horse battery"}).status_code == 403
    assert guest.get("/login").status_code == 303


def test_the_throttle_counts_who_stands_behind_the_proxy(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text(entry("ada", hash_of("correct horse battery"), ["*"]))
    app = dashboard_app(
        warehouse, DashboardSettings(host="0.0.0.0", users_file=str(file), proxy_addresses="10.0.0.0/8")
    )
    guest = Visitor(app, client=PROXY)

    def attempt(forwarded_for: str) -> int:
        form = {"name": "ada", "password": "wrong", "next": "/"}
        return guest.post("/login", form, x_forwarded_for=forwarded_for).status_code

    # What stands before the last address anybody can write.
    assert [attempt(f"203.0.113.{number}, 198.51.100.1") for number in range(6)] == [401] * 5 + [429]
    assert attempt("198.51.100.2") == 401


def test_a_name_is_utf_8(two_projects: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[[user]]\nname = "Jörg"\nprojects = ["lab"]\n', encoding="utf-8")
    guest = behind_proxy(two_projects, users_file=str(file))
    assert projects(guest, x_user="Jörg".encode()) == {"lab"}


def test_a_name_is_escaped(warehouse: Warehouse) -> None:
    guest = behind_proxy(warehouse, proxy_projects="*")
    assert "<script>alert" not in guest.get("/sessions", x_user="<script>alert(1)</script>").text
