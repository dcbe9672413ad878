"""`spanloom dashboard` and `spanloom users new`, without servers: what they refuse, and how they read ClickHouse."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from spanloom.commands.serving.dashboard import reading
from spanloom.dashboard.access.passwords import Checker
from spanloom.dashboard.access.users import from_toml
from spanloom.dashboard.settings import DashboardSettings
from spanloom.local.ports import free_port
from spanloom.warehouse.queries.ask import LIMITS
from spanloom.warehouse.settings import ClickHouseSettings


def spanloom(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **{f"SPANLOOM_DASHBOARD__{name.upper()}": value for name, value in settings.items()}}
    return subprocess.run(
        [sys.executable, "-m", "spanloom", *arguments],
        env=env, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"host": "0.0.0.0"}, "without a login anybody could look"),
        ({"host": "::"}, "without a login anybody could look"),
        ({"host": "spanloom.example"}, "without a login anybody could look"),
        ({"proxy_user_header": "x-user", "proxy_projects": "*"}, "neither proxy_addresses nor proxy_secret"),
        ({"proxy_secret": "too short"}, "must have 32 characters or more"),
        ({"proxy_hops": "0"}, "SPANLOOM_DASHBOARD__PROXY_HOPS"),
        ({"proxy_user_header": "x-user", "proxy_addresses": "10.0.0.1"}, "set proxy_projects or users_file"),
        ({"proxy_projects": "shop"}, "proxy_projects is set without proxy_user_header"),
        ({"proxy_addresses": "my-proxy"}, "must be addresses such as 10.0.0.7"),
        ({"secret": "too short"}, "must have 32 characters or more"),
        ({"users_file": "/nowhere"}, "users_file names a file that is not there"),
        ({"tls_certfile": __file__}, "belong together"),
        ({"tls_certfile": __file__, "tls_keyfile": __file__}, "can't listen"),
        ({"clickhouse_password": "x"}, "clickhouse_password is set without clickhouse_user"),
        ({"users_file": __file__}, "it is not TOML"),
        ({"port": "80800"}, "SPANLOOM_DASHBOARD__PORT"),
        ({"colour": "red"}, "unknown setting SPANLOOM_DASHBOARD__COLOUR"),
    ],
)
def test_an_impossible_setting_ends_with_one_sentence(settings: dict[str, str], sentence: str) -> None:
    given = {"port": str(free_port()), "web_port": str(free_port()), **settings}
    ended = spanloom("dashboard", **given)
    assert ended.returncode == 1
    assert sentence in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr
    assert "too short" not in ended.stderr, "a secret is never shown"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_loopback_needs_no_login(host: str) -> None:
    assert DashboardSettings(host=host).is_open


def test_a_user_of_clickhouse_of_its_own_reads() -> None:
    writer = ClickHouseSettings(user="writer", password=SecretStr("w"))
    assert reading(writer, DashboardSettings()).user == "writer"
    own = reading(writer, DashboardSettings(clickhouse_user="reader", clickhouse_password=SecretStr("r")))
    assert (own.user, own.password.get_secret_value(), own.url) == ("reader", "r", writer.url)


@pytest.mark.parametrize(("patience", "expected"), [(60, 12), (12, 12), (3, 3)])
def test_the_pages_wait_no_longer_for_clickhouse_than_their_readers_do(patience: int, expected: int) -> None:
    clickhouse = ClickHouseSettings(read_timeout=patience)
    assert reading(clickhouse, DashboardSettings()) == clickhouse.model_copy(
        update={"read_timeout": expected}
    )
    assert reading(clickhouse, DashboardSettings(answer_timeout=2)).read_timeout == 2
    assert DashboardSettings().answer_timeout > LIMITS.seconds, (
        "what is too big is said to be, not ClickHouse to be away"
    )


def test_a_made_user_can_log_in(tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    made = spanloom("users", "new", "ada", "--project", "shop", "--project", 'la"b', "--file", str(file))
    assert made.returncode == 0, made.stderr
    password = made.stdout.removeprefix("password: ").strip()
    (user,) = from_toml(file.read_text()).values()
    assert (user.name, user.projects) == ("ada", frozenset({"shop", 'la"b'}))
    assert password not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    async def fits(tried: str) -> bool:
        return await Checker().fits(tried, user.password_hash)

    assert asyncio.run(fits(password))
    assert not asyncio.run(fits(password + "x"))


def test_a_user_is_added_to_those_there_are_but_not_twice(tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    for name in ("ada", "bob"):
        assert spanloom("users", "new", name, "--all-projects", "--file", str(file)).returncode == 0
    before = file.read_text()
    twice = spanloom("users", "new", "bob", "--project", "x", "--file", str(file))
    assert twice.returncode == 1
    assert "every name may stand once" in twice.stderr.replace("\n", " ")
    assert file.read_text() == before
    assert set(from_toml(before)) == {"ada", "bob"}


@pytest.mark.parametrize("command", [("users", "new", "bob", "--all-projects"), ("keys", "new", "shop")])
def test_a_file_that_is_added_to_stays_the_same_file(command: tuple[str, ...], tmp_path: Path) -> None:
    """With its owner and mode, and where a container has it mounted: a file of the same name would be another one."""
    real, file = tmp_path / "real.toml", tmp_path / "link.toml"
    real.touch(0o640)
    file.symlink_to(real)
    before = real.stat()
    for _ in range(2 if command[0] == "keys" else 1):
        assert spanloom(*command, "--file", str(file)).returncode == 0
    assert file.is_symlink()
    assert (real.stat().st_ino, real.stat().st_mode) == (before.st_ino, before.st_mode)
    assert real.read_text().count("[[") == (2 if command[0] == "keys" else 1)


@pytest.mark.parametrize("kind", [("users", "new", "bob", "--all-projects"), ("keys", "new", "shop")])
def test_a_new_file_is_its_owners_alone(kind: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    assert spanloom(*kind, "--file", str(file)).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_file_the_entry_is_shown() -> None:
    made = spanloom("users", "new", "ada", "--all-projects")
    assert set(from_toml(made.stdout.partition("\n")[2])) == {"ada"}


@pytest.mark.parametrize("options", [(), ("--project", "a", "--all-projects")])
def test_what_a_user_may_see_must_be_given(options: tuple[str, ...]) -> None:
    assert spanloom("users", "new", "ada", *options).returncode == 2
