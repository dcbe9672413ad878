"""What deploy/ guarantees of the dashboard, on Compose and on Kubernetes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from spanloom.dashboard.access.passwords import is_hash
from spanloom.dashboard.access.users import from_toml
from spanloom.dashboard.settings import DashboardSettings
from tests.deploy.test_compose import made_env
from tests.deploy.test_deploy import DEPLOY, EXAMPLE, WORKLOADS, compose, config_map, documents, pod


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The file as Compose itself understands it, with secrets as `make deploy/.env` makes them."""
    env = tmp_path_factory.mktemp("compose") / "env"
    env.write_text(made_env().stdout)
    read = compose("--env-file", str(env), "config", "--format", "json")
    assert read.returncode == 0, read.stderr
    found: dict[str, Any] = json.loads(read.stdout)
    return found


def dashboard_settings(environment: dict[str, str]) -> DashboardSettings:
    prefix = "SPANLOOM_DASHBOARD__"
    return DashboardSettings.model_validate(
        {
            name.removeprefix(prefix).lower(): value
            for name, value in environment.items()
            if name.startswith(prefix)
        }
    )


def test_compose_serves_the_pages_on_loopback_with_a_login(composed: dict[str, Any]) -> None:
    service = composed["services"]["dashboard"]
    settings = dashboard_settings(service["environment"])
    assert not settings.is_open
    assert settings.clickhouse_user == "spanloom_dashboard"
    (port,) = service["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8080", settings.port)
    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "spanloom.health", "ready"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


def test_the_users_file_of_compose_reaches_the_dashboard_whole(composed: dict[str, Any]) -> None:
    (config,) = composed["services"]["dashboard"]["configs"]
    assert (
        config["target"] == composed["services"]["dashboard"]["environment"]["SPANLOOM_DASHBOARD__USERS_FILE"]
    )
    # `config` writes a dollar twice, so that it can be read again.
    content = composed["configs"][config["source"]]["content"].replace("$$", "$")
    (user,) = from_toml(content).values()
    assert (user.name, user.projects) == ("admin", None)
    assert is_hash(user.password_hash)


def test_compose_refuses_to_start_without_a_hash(tmp_path: Path) -> None:
    env = tmp_path / "env"
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    env.write_text("\n".join(line for line in lines if not line.startswith("DASHBOARD_PASSWORD_HASH")))
    checked = compose("--env-file", str(env), "config", "-q")
    assert checked.returncode != 0
    assert ".env.example" in checked.stderr


def settings_of_the_pod() -> DashboardSettings:
    (secret,) = (
        found["stringData"]
        for found in documents(EXAMPLE)
        if found["metadata"]["name"] == "spanloom-dashboard"
    )
    return dashboard_settings(config_map("dashboard") | secret)


def test_the_pod_is_probed_and_served_where_it_answers() -> None:
    settings = settings_of_the_pod()
    (container,) = pod("spanloom-dashboard")["containers"]
    assert container["args"] == ["dashboard"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"pages": settings.port, "web": settings.web_port}
    assert (settings.host, settings.web_host) == ("0.0.0.0", "0.0.0.0")
    for kind, path in (("startup", "/live"), ("liveness", "/live"), ("readiness", "/ready")):
        assert container[f"{kind}Probe"]["httpGet"] == {"path": path, "port": "web"}


def test_the_pod_has_a_login_and_one_secret_for_all_of_them() -> None:
    settings = settings_of_the_pod()
    assert not settings.is_open
    assert settings.secret.get_secret_value()
    assert WORKLOADS["spanloom-dashboard"]["spec"]["replicas"] > 1
    (container,) = pod("spanloom-dashboard")["containers"]
    (mount,) = (mount for mount in container["volumeMounts"] if mount["name"] == "users")
    assert mount["mountPath"] == str(Path(settings.users_file).parent)


def test_service_and_budget_mean_the_dashboards_pods() -> None:
    deployment, service, budget = yaml.safe_load_all((DEPLOY / "kubernetes" / "dashboard.yaml").read_text())
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    (port,) = service["spec"]["ports"]
    assert (port["targetPort"], port["port"]) == ("pages", 8080)
