"""What Kubernetes gives each part: its own config maps and one secret, none of it known to everybody."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from spanloom.commands.settings import PLACEHOLDER, SettingsError, load
from tests.deploy.test_deploy import ALL_DOCUMENTS, EXAMPLE, config_map, documents, pod

CONFIG_MAPS = {
    "worker": ["kafka", "clickhouse", "worker"],
    "receiver": ["kafka", "receiver"],
    "dashboard": ["clickhouse", "dashboard"],
    "migrate": ["clickhouse", "migrate"],
    "topics": ["kafka"],
}
SECRETS = {found["metadata"]["name"]: found["stringData"] for found in documents(EXAMPLE)}


def environment(part: str) -> dict[str, str]:
    """What the part's pod gets, with the example's secret."""
    found: dict[str, str] = {}
    (container,) = pod(f"spanloom-{part}")["containers"]
    for source in container["envFrom"]:
        if "configMapRef" in source:
            found |= config_map(source["configMapRef"]["name"].removeprefix("spanloom-"))
        else:
            found |= SECRETS[source["secretRef"]["name"]]
    return found


@pytest.mark.parametrize("part", sorted(CONFIG_MAPS))
def test_a_pod_takes_its_settings_from_its_config_maps_and_its_secret(part: str) -> None:
    (container,) = pod(f"spanloom-{part}")["containers"]
    assert container["envFrom"] == [
        *({"configMapRef": {"name": f"spanloom-{name}"}} for name in CONFIG_MAPS[part]),
        {"secretRef": {"name": f"spanloom-{part}"}},
    ]


def test_a_secret_belongs_to_one_part() -> None:
    used: dict[str, list[str]] = {}
    for part in CONFIG_MAPS:
        spec = pod(f"spanloom-{part}")
        for volume in spec["volumes"]:
            if "secret" in volume:
                used.setdefault(volume["secret"]["secretName"], []).append(part)
        for source in spec["containers"][0]["envFrom"]:
            if "secretRef" in source:
                used.setdefault(source["secretRef"]["name"], []).append(part)
    assert used == {
        **{f"spanloom-{part}": [part] for part in CONFIG_MAPS},
        **{f"spanloom-{part}-tls": [part] for part in CONFIG_MAPS},
        "spanloom-receiver-keys": ["receiver"],
        "spanloom-dashboard-users": ["dashboard"],
    }
    assert {name: sorted(secret) for name, secret in SECRETS.items()} == {
        "spanloom-topics": ["SPANLOOM_KAFKA__SASL_PASSWORD", "SPANLOOM_KAFKA__SASL_USERNAME"],
        "spanloom-migrate": ["SPANLOOM_CLICKHOUSE__PASSWORD"],
        "spanloom-worker": [
            "SPANLOOM_CLICKHOUSE__PASSWORD",
            "SPANLOOM_KAFKA__SASL_PASSWORD",
            "SPANLOOM_KAFKA__SASL_USERNAME",
        ],
        "spanloom-receiver": ["SPANLOOM_KAFKA__SASL_PASSWORD", "SPANLOOM_KAFKA__SASL_USERNAME"],
        "spanloom-dashboard": [
            "SPANLOOM_DASHBOARD__CLICKHOUSE_PASSWORD",
            "SPANLOOM_DASHBOARD__SECRET",
        ],
        "spanloom-forgetter": [
            "SPANLOOM_CLICKHOUSE__PASSWORD",
            "SPANLOOM_KAFKA__SASL_PASSWORD",
            "SPANLOOM_KAFKA__SASL_USERNAME",
        ],
    }


def test_nothing_that_is_applied_is_a_secret() -> None:
    applied = [document for name, document in ALL_DOCUMENTS if name != EXAMPLE.name]
    assert {document["kind"] for document in applied} >= {"ConfigMap", "Deployment", "Job"}
    assert [document for document in applied if document["kind"] == "Secret"] == []
    assert PLACEHOLDER not in str(applied)


@pytest.mark.parametrize("part", sorted(CONFIG_MAPS))
def test_a_part_refuses_its_example_and_takes_a_secret_of_ones_own(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(part)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="is still the example's"):
        load()
    for name, value in given.items():
        monkeypatch.setenv(name, value.replace(PLACEHOLDER, "0123456789"))
    settings: Any = load()
    users = {
        "worker": (settings.clickhouse.user, "spanloom_worker"),
        "migrate": (settings.clickhouse.user, "spanloom_migrate"),
        "dashboard": (settings.dashboard.clickhouse_user, "spanloom_dashboard"),
        "receiver": (settings.kafka.sasl_username, "spanloom-receiver"),
        "topics": (settings.kafka.sasl_username, "spanloom-topics"),
    }
    found, expected = users[part]
    assert found == expected


@pytest.mark.parametrize("part", sorted(CONFIG_MAPS))
def test_a_pod_that_got_the_example_ends_with_one_sentence(part: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "spanloom", part],
        env=environment(part),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "is still the example's" in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr
