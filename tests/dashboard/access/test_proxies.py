"""Behind a reverse proxy: whom it lets in, and whose headers are believed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from spanloom.dashboard.access.passwords import hash_of
from spanloom.dashboard.access.proxies import TrustedProxies, came_through_proxy
from spanloom.dashboard.access.users import entry
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor
from tests.dashboard.world import put_world, trace

PROXY = "10.1.2.3"


def passed_on(
    settings: dict[str, Any], headers: list[tuple[bytes, bytes]], peer: str = PROXY
) -> dict[str, Any]:
    """What the application sees of a request."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, *_: Any) -> None:
        seen.update(scope)

    asked = {"type": "http", "client": (peer, 40000), "headers": headers, "scheme": "http"}
    asyncio.run(TrustedProxies(app, DashboardSettings(**settings))(asked, None, None))  # type: ignore[arg-type]
    return seen


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

    # What stands before the last address anybody can write; also whoever has an address like the proxy's.
    assert [attempt(f"203.0.113.{number}, 198.51.100.1") for number in range(6)] == [401] * 5 + [429]
    assert attempt("198.51.100.2") == 401
    assert [attempt(f"203.0.113.{number}, 10.9.9.9") for number in range(6)] == [401] * 5 + [429]
    # What is no address is none: all of it counts as the proxy's own.
    odd = ["unknown", "203.0.113.7, x", "", "_hidden", "9" * 500, "[", "203.0.113.8, 999.1.1.1"]
    assert [attempt(forwarded) for forwarded in odd] == [401] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("hops", "forwarded_for", "client"),
    [
        (1, "192.0.2.9", "192.0.2.9"),
        (1, "203.0.113.1, 10.0.0.1", "10.0.0.1"),
        (2, "203.0.113.1, 192.0.2.9, 10.0.0.1", "192.0.2.9"),
        (2, "192.0.2.9, 10.0.0.1", "192.0.2.9"),
        (2, "10.0.0.1", PROXY),  # it came past the outer one
        (3, "", PROXY),
        (1, "192.0.2.9:4711", "192.0.2.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "203.0.113.1, unknown", PROXY),
    ],
)
def test_who_is_acted_for_is_whom_the_outermost_proxy_saw(hops: int, forwarded_for: str, client: str) -> None:
    seen = passed_on(
        {"proxy_addresses": PROXY, "proxy_hops": hops}, [(b"x-forwarded-for", forwarded_for.encode())]
    )
    assert seen["client"][0] == client


SECRET = "s" * 32


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ([(b"x-spanloom-proxy-secret", SECRET.encode())], True),
        ([(b"x-spanloom-proxy-secret", b"s" * 31)], False),
        ([(b"x-spanloom-proxy-secret", b"")], False),
        ([(b"x-spanloom-proxy-secret", b"\xff" * 32)], False),
        # A client's own beside that of a proxy that adds and does not replace: which of them is true, nobody can say.
        ([(b"x-spanloom-proxy-secret", b"x"), (b"x-spanloom-proxy-secret", SECRET.encode())], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("addresses", ["", PROXY, "10.0.0.0/8"])
def test_with_a_secret_only_who_sends_it_is_believed(
    addresses: str, headers: list[tuple[bytes, bytes]], believed: bool
) -> None:
    settings = {"proxy_addresses": addresses, "proxy_secret": SECRET}
    forwarded = (b"x-forwarded-for", b"192.0.2.9")
    seen = passed_on(settings, [forwarded, *headers])
    assert (came_through_proxy(seen), seen["client"][0]) == (
        (True, "192.0.2.9") if believed else (False, PROXY)
    )
    elsewhere = passed_on(settings, [forwarded, *headers], peer="192.0.2.77")
    assert came_through_proxy(elsewhere) == (believed and not addresses)


def test_a_secret_opens_nothing_by_itself(warehouse: Warehouse) -> None:
    guest = behind_proxy(warehouse, "192.0.2.1", proxy_addresses="", proxy_secret=SECRET, proxy_projects="*")
    assert guest.get("/sessions", x_user="ada").status_code == 403
    assert guest.get("/sessions", x_spanloom_proxy_secret=SECRET).status_code == 403
    assert guest.get("/sessions", x_user="ada", x_spanloom_proxy_secret=SECRET).status_code == 200


@pytest.mark.parametrize(
    ("settings", "wide"),
    [
        ({"proxy_addresses": "10.0.0.0/8, 10.0.0.7"}, ["10.0.0.0/8"]),
        ({"proxy_addresses": "10.0.0.7, 10.0.7.0/28, fd00::1"}, []),
        ({"proxy_addresses": "fd00::/64", "proxy_secret": SECRET}, []),
        ({"proxy_addresses": "fd00::/64"}, ["fd00::/64"]),
    ],
)
def test_networks_in_which_anyone_could_claim_to_be_anyone(settings: dict[str, Any], wide: list[str]) -> None:
    assert DashboardSettings(proxy_user_header="x-user", proxy_projects="*", **settings).wide_proxies == wide
    assert DashboardSettings(users_file="users.toml", **settings).wide_proxies == []


def test_a_name_is_utf_8(two_projects: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[[user]]\nname = "Jörg"\nprojects = ["lab"]\n', encoding="utf-8")
    guest = behind_proxy(two_projects, users_file=str(file))
    assert projects(guest, x_user="Jörg".encode()) == {"lab"}


def test_a_name_is_escaped(warehouse: Warehouse) -> None:
    guest = behind_proxy(warehouse, proxy_projects="*")
    assert "<script>alert" not in guest.get("/sessions", x_user="<script>alert(1)</script>").text
