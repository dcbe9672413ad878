"""What the dashboard says to browsers that come by https, and where logins would come without."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanloom.commands.serving.dashboard import logs_in_without_tls
from spanloom.commands.serving.receiver import takes_keys_without_tls
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.receiver.settings import ReceiverSettings
from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor

HEADER = "strict-transport-security"
NAME = "https://spanloom.example"


@pytest.fixture
def settings(tmp_path: Path) -> DashboardSettings:
    """A dashboard with a login, behind a proxy."""
    users = tmp_path / "users.toml"
    users.write_text('[[user]]\nname = "ada"\nprojects = ["*"]\n')
    return DashboardSettings(
        host="0.0.0.0", users_file=str(users), proxy_addresses="10.1.2.3", hosts="spanloom.example, localhost"
    )


def test_who_came_by_https_is_to_come_by_https_again(
    warehouse: Warehouse, settings: DashboardSettings
) -> None:
    own_tls = Visitor(dashboard_app(warehouse, settings), NAME)
    for path in ("/login", "/sessions", "/api/projects", "/nowhere", "/static/nowhere.css"):
        assert own_tls.get(path).headers[HEADER] == "max-age=31536000", path
    assert Visitor(dashboard_app(warehouse, settings), "https://other.example").get("/").headers[HEADER]


def test_a_trusted_proxy_says_how_they_came_and_nobody_else(
    warehouse: Warehouse, settings: DashboardSettings
) -> None:
    app = dashboard_app(warehouse, settings)
    plain = NAME.replace("https", "http")
    assert HEADER in Visitor(app, plain, "10.1.2.3").get("/login", x_forwarded_proto="https").headers
    assert HEADER not in Visitor(app, plain, "10.1.2.3").get("/login", x_forwarded_proto="http").headers
    assert HEADER not in Visitor(app, plain, "192.0.2.1").get("/login", x_forwarded_proto="https").headers


def test_other_programs_on_this_machine_keep_their_http(
    warehouse: Warehouse, settings: DashboardSettings
) -> None:
    app = dashboard_app(warehouse, settings)
    assert HEADER not in Visitor(app, "https://localhost:8443").get("/login").headers


@pytest.mark.parametrize(
    ("changed", "warns"),
    [
        ({}, True),
        ({"host": "127.0.0.1"}, False),
        ({"proxy_addresses": "10.1.2.3"}, False),
        ({"tls_certfile": "a.pem", "tls_keyfile": "a.key"}, False),
        (
            {
                "users_file": "",
                "proxy_user_header": "x-user",
                "proxy_projects": "*",
                "proxy_addresses": "::1",
            },
            False,
        ),
    ],
)
def test_logins_that_anybody_may_read(changed: dict[str, str], warns: bool) -> None:
    given = {"host": "0.0.0.0", "users_file": "users.toml", **changed}
    assert logs_in_without_tls(DashboardSettings.model_validate(given)) == warns


@pytest.mark.parametrize(
    ("changed", "warns"),
    [
        ({}, True),
        ({"host": "::1"}, False),
        ({"host": "localhost", "keys": ""}, False),
        ({"tls_certfile": "a.pem", "tls_keyfile": "a.key"}, False),
    ],
)
def test_keys_that_anybody_may_read(changed: dict[str, str], warns: bool) -> None:
    given = {"host": "0.0.0.0", "keys": f"shop:{'0' * 64}", **changed}
    assert takes_keys_without_tls(ReceiverSettings.model_validate(given)) == warns
