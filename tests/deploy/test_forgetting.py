"""Forgetting on Kubernetes: off unless its component is named; who deletes is not who is asked."""

from __future__ import annotations

import copy
from typing import Any

import kubernetes_validate
import pytest
import yaml

from spanloom.commands.settings import PLACEHOLDER, SettingsError, load
from tests.deploy.test_deploy import (
    ALL_DOCUMENTS,
    DEPLOY,
    KUBERNETES_VERSIONS,
    WORKLOADS,
    config_map,
    documents,
    pod,
)
from tests.deploy.test_network_policies import CLICKHOUSE, KAFKA, POLICIES, open_ports
from tests.deploy.test_secrets import SECRETS, environment

FOLDER = DEPLOY / "kubernetes" / "forgetting"
COMPONENT = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
ADDED = [(name, document) for name in COMPONENT["resources"] for document in documents(FOLDER / name)]


@pytest.fixture
def with_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """All as it is once the component is named: what it adds, and its patch."""
    monkeypatch.setattr("tests.deploy.test_deploy.ALL_DOCUMENTS", [*ALL_DOCUMENTS, *ADDED])
    added = [document["spec"] for _, document in ADDED if document["kind"] == "NetworkPolicy"]
    monkeypatch.setattr("tests.deploy.test_network_policies.POLICIES", [*POLICIES, *added])
    for _, document in ADDED:
        if document["kind"] == "Deployment":
            monkeypatch.setitem(WORKLOADS, document["metadata"]["name"], document)
    for patch in COMPONENT["patches"]:
        name = patch["target"]["name"]
        monkeypatch.setitem(WORKLOADS, name, patched(WORKLOADS[name], yaml.safe_load(patch["patch"])))


def patched(document: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """A document after the operations of a JSON patch, all of them `add` (RFC 6902, section 4.1)."""
    document = copy.deepcopy(document)
    for operation in operations:
        assert operation["op"] == "add"
        *way, last = operation["path"].strip("/").split("/")
        place: Any = document
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        if isinstance(place, list):
            assert last == "-"
            place.append(operation["value"])
        else:
            assert last not in place, "it would replace what is there"
            place[last] = operation["value"]
    return document


def test_it_is_off() -> None:
    base = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert "components" not in base
    assert "spanloom-forgetter" not in WORKLOADS
    assert "FORGET" not in str(pod("spanloom-dashboard"))
    assert open_ports("dashboard", "egress", "kafka") == set()


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.usefixtures("with_forgetting")
def test_the_manifests_are_valid(version: str) -> None:
    for document in (*(document for _, document in ADDED), WORKLOADS["spanloom-dashboard"]):
        kubernetes_validate.validate(document, version, strict=True)
    assert sorted(COMPONENT["resources"]) == sorted(
        path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml"
    )


@pytest.mark.usefixtures("with_forgetting")
def test_the_forgetter_has_the_rights_of_a_pod_and_secrets_of_its_own() -> None:
    spec = pod("spanloom-forgetter")
    worker = pod("spanloom-worker")
    for name in ("automountServiceAccountToken", "enableServiceLinks", "securityContext"):
        assert spec[name] == worker[name]
    (container,), (of_worker,) = spec["containers"], worker["containers"]
    for name in ("image", "securityContext", "volumeMounts"):
        assert container[name] == of_worker[name]
    assert set(container["resources"]["limits"]) == {"memory", "ephemeral-storage"}
    secrets = {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    secrets |= {source["secretRef"]["name"] for source in container["envFrom"] if "secretRef" in source}
    assert secrets == {"spanloom-forgetter", "spanloom-forgetter-tls"}
    deployment = WORKLOADS["spanloom-forgetter"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.usefixtures("with_forgetting")
def test_who_may_talk_to_whom() -> None:
    assert open_ports("forgetter", "ingress", "monitoring") == {6063}
    for elsewhere in ("shop", "ingress-nginx", "spanloom", "203.0.113.7"):
        assert open_ports("forgetter", "ingress", elsewhere) == set()
    for part in ("forgetter", "dashboard"):
        assert open_ports(part, "egress", "kafka") == {KAFKA}
        assert open_ports(part, "egress", "clickhouse") == {CLICKHOUSE}
        assert open_ports(part, "egress", "203.0.113.7") == set()
    assert open_ports("dashboard", "ingress", "ingress-nginx") == {8080}
    (container,) = pod("spanloom-forgetter")["containers"]
    assert [port["containerPort"] for port in container["ports"]] == [6063]


@pytest.mark.usefixtures("with_forgetting")
def test_the_settings_are_those_of_spanloom(monkeypatch: pytest.MonkeyPatch) -> None:
    given = environment("forgetter")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="is still the example's"):
        load()
    for name, value in given.items():
        monkeypatch.setenv(name, value.replace(PLACEHOLDER, "0123456789"))
    settings = load()
    assert (
        settings.clickhouse.user
        == config_map("forgetter")["SPANLOOM_CLICKHOUSE__USER"]
        == "spanloom_forgetter"
    )
    assert settings.forgetter.web_host == "0.0.0.0"


@pytest.mark.usefixtures("with_forgetting")
def test_the_dashboard_asks_and_has_no_right_of_the_forgetters() -> None:
    (container,) = pod("spanloom-dashboard")["containers"]
    assert container["env"] == [{"name": "SPANLOOM_DASHBOARD__FORGET", "value": "true"}]
    sources = [next(iter(source.values()))["name"] for source in container["envFrom"]]
    assert sources == ["spanloom-clickhouse", "spanloom-dashboard", "spanloom-dashboard", "spanloom-kafka"]
    given = environment("dashboard")
    assert given["SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"]
    assert "SPANLOOM_CLICKHOUSE__PASSWORD" not in given
    assert set(SECRETS["spanloom-forgetter"]) == set(SECRETS["spanloom-worker"])
