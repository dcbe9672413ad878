"""What Compose gives each part: its own secrets, none that everybody knows, and bounds."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from spanloom.commands.settings import PLACEHOLDER
from spanloom.dashboard.access.passwords import Checker
from spanloom.receiver.keys import Keys, from_setting
from tests.deploy.test_deploy import DEPLOY, compose, pod

PARTS = ("worker", "receiver", "dashboard", "migrate", "topics")


def made_env() -> subprocess.CompletedProcess[str]:
    """What deploy/new_env.py makes."""
    return subprocess.run(
        [sys.executable, DEPLOY / "new_env.py"], capture_output=True, text=True, timeout=60, check=True
    )


def services_with(env: Path) -> dict[str, Any]:
    """The services of all profiles as Compose itself understands them."""
    read = compose("--env-file", str(env), "--profile", "*", "config", "--format", "json")
    assert read.returncode == 0, read.stderr
    found: dict[str, Any] = json.loads(read.stdout)["services"]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The services with secrets as `make deploy/.env` makes them."""
    env = tmp_path_factory.mktemp("made") / "env"
    env.write_text(made_env().stdout)
    return services_with(env)


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """The services with the example's placeholders."""
    return services_with(DEPLOY / ".env.example")


def start(part: str, environment: Mapping[str, str], users: Path) -> subprocess.CompletedProcess[str]:
    """Start a part of spanloom as its container would, with nothing to reach, until it has read its settings."""
    own = dict(environment)
    if "SPANLOOM_DASHBOARD__USERS_FILE" in own:
        own["SPANLOOM_DASHBOARD__USERS_FILE"] = str(users)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPANLOOM_")}
    # The settings alone: with good ones the part itself would run until it is stopped.
    read = "from spanloom.commands.settings import load; load()"
    command = ["-c", read] if part == "settings" else ["-m", "spanloom", part]
    return subprocess.run(
        [sys.executable, *command], env=clean | own, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("part", ["worker", "receiver", "dashboard", "forgetter", "migrate"])
def test_no_part_starts_with_an_examples_secret(part: str, example: dict[str, Any], tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.touch()
    started = start(part, example[part]["environment"], users)
    assert started.returncode == 1
    assert "is still the example's" in started.stderr.replace("\n", " ")
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize("part", [*PARTS, "forgetter"])
def test_each_part_reads_what_it_is_given(part: str, made: dict[str, Any], tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.touch()
    read = start("settings", made[part]["environment"], users)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("service", ["clickhouse", "otel-collector", "grafana"])
def test_nothing_else_starts_with_an_examples_secret(service: str, example: dict[str, Any]) -> None:
    shell = example[service]["entrypoint"][-2:]
    given = {name: value for name, value in example[service]["environment"].items() if PLACEHOLDER in value}
    assert given
    for one in given:
        # Each by itself: the others are good.
        environment = dict.fromkeys(given, "good") | {one: given[one]}
        started = run_entrypoint(shell, environment)
        assert (started.returncode, "make deploy/.env" in started.stderr) == (1, True), one
    good = run_entrypoint(shell, dict.fromkeys(given, "good"))
    assert "make deploy/.env" not in good.stderr
    assert "not found" in good.stderr, "it goes on to the server, which is not here"


def run_entrypoint(shell: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    script = [part.replace("$$", "$") for part in shell]
    return subprocess.run(
        ["/bin/sh", *script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_made_environment_is_complete_and_never_the_same() -> None:
    first, second = (dict(re.findall(r"^(\w+)=(.*)$", made_env().stdout, re.MULTILINE)) for _ in range(2))
    example = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert set(first) == set(second) == set(example)
    secret = {name for name, value in example.items() if PLACEHOLDER in value}
    assert len(secret) == 10
    assert [name for name in secret if first[name] == second[name] or PLACEHOLDER in first[name]] == []
    assert len({first[name] for name in secret}) == len(secret), "none is used twice"
    assert {name: first[name] for name in set(example) - secret} == {
        name: example[name] for name in set(example) - secret
    }


def test_what_is_shown_opens_what_is_kept() -> None:
    made = made_env()
    env = dict(re.findall(r"^(\w+)='?(.*?)'?$", made.stdout, re.MULTILINE))
    shown = re.search(r"`default`: (\S+)\n.*: admin, (\S+)\n", made.stderr)
    assert shown is not None
    key, password = shown.groups()
    assert Keys(from_setting(env["RECEIVER_KEYS"])).project_of(key) == "default"
    assert asyncio.run(Checker().fits(password, env["DASHBOARD_PASSWORD_HASH"]))
    assert key not in made.stdout
    assert password not in made.stdout


def test_a_part_has_no_secret_of_another(made: dict[str, Any]) -> None:
    secrets = re.compile(r"PASSWORD|SECRET|KEY")
    given = {
        name: {variable for variable in service["environment"] if secrets.search(variable)}
        for name, service in made.items()
        if service["environment"]
    }
    assert given == {
        "kafka": set(),
        "clickhouse": {
            "CLICKHOUSE_PASSWORD",
            "WORKER_PASSWORD",
            "DASHBOARD_PASSWORD",
            "FORGETTER_PASSWORD",
            "GRAFANA_CLICKHOUSE_PASSWORD",
        },
        "topics": set(),
        "migrate": {"SPANLOOM_CLICKHOUSE__PASSWORD"},
        "worker": {"SPANLOOM_CLICKHOUSE__PASSWORD"},
        "forgetter": {"SPANLOOM_CLICKHOUSE__PASSWORD"},
        "dashboard": {"SPANLOOM_DASHBOARD__SECRET", "SPANLOOM_DASHBOARD__CLICKHOUSE_PASSWORD"},
        "receiver": {"SPANLOOM_RECEIVER__KEYS"},
        "otel-collector": {"COLLECTOR_KEY"},
        "grafana": {"GF_SECURITY_ADMIN_PASSWORD", "GRAFANA_CLICKHOUSE_PASSWORD"},
    }
    users = [
        made[part]["environment"].get("SPANLOOM_CLICKHOUSE__USER")
        for part in ("migrate", "worker", "forgetter")
    ]
    assert users == ["spanloom", "spanloom_worker", "spanloom_forgetter"]
    assert "users.toml" not in str(made["worker"])


def test_users_of_clickhouse_may_do_what_the_documentation_says() -> None:
    tree = ElementTree.parse(DEPLOY / "clickhouse-users.xml")
    documented = "\n".join(
        (DEPLOY.parent / "docs" / page).read_text() for page in ("configuration.md", "dashboard.md")
    )
    users = {user.tag: user for user in tree.iterfind("users/*")}
    assert set(users) == {"spanloom_worker", "spanloom_forgetter", "spanloom_dashboard"}
    grants = {name: [query.text for query in user.iterfind("grants/query")] for name, user in users.items()}
    assert {name: len(some) for name, some in grants.items()} == dict.fromkeys(users, 1) | {
        "spanloom_forgetter": 2
    }
    for name, some in grants.items():
        for grant in some:
            assert f"{grant} TO {name};" in documented
    assert [name for name, some in grants.items() if "ALTER" in str(some)] == ["spanloom_forgetter"]
    assert users["spanloom_dashboard"].findtext("profile") == "spanloom_dashboard"
    assert tree.findtext("profiles/spanloom_dashboard/readonly") == "2"
    passwords = [user.find("password") for user in users.values()]
    assert [found is not None and found.get("from_env") for found in passwords] == [
        "WORKER_PASSWORD",
        "FORGETTER_PASSWORD",
        "DASHBOARD_PASSWORD",
    ]


def test_every_container_is_bounded(made: dict[str, Any]) -> None:
    for name, service in made.items():
        assert int(service["mem_limit"]) >= 512 * 2**20, name
        assert 512 <= service["pids_limit"] <= 4096, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["logging"] == {"driver": "local", "options": {"max-size": "10m", "max-file": "5"}}, (
            name
        )
        sizes = [re.search(r"^/tmp:size=(\d+)m", mount) for mount in service.get("tmpfs", ())]
        assert service.get("read_only") or any(found and int(found[1]) <= 256 for found in sizes), name
    assert [name for name, service in made.items() if service.get("cap_drop") != ["ALL"]] == ["clickhouse"]
    for part in PARTS:
        assert [re.sub(",[ug]id=.*", "", mount) for mount in made[part]["tmpfs"]] == [
            "/tmp:size=64m",  # noqa: S108
            "/var/lib/spanloom:size=64m",
        ]


def test_containers_have_the_memory_of_pods(made: dict[str, Any]) -> None:
    sizes = {"512Mi": 2**29, "1Gi": 2**30, "2Gi": 2**31}
    for part in PARTS:
        (container,) = pod(f"spanloom-{part}")["containers"]
        assert int(made[part]["mem_limit"]) == sizes[container["resources"]["limits"]["memory"]], part


def test_make_writes_the_file_for_its_owner_alone() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", "deploy/.env"],
        cwd=DEPLOY.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "umask 077 && .venv/bin/python deploy/new_env.py" in planned.stdout
