"""What deploy/ promises, read by the tools that will read it: Compose, hadolint, Kubernetes' schemas.

No Docker engine and no cluster are needed; the tools come with the `test` extra.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import kubernetes_validate
import pytest
import yaml
from pydantic import BaseModel

from tests.integration.collector import building

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
DOCKERFILE = DEPLOY / "Dockerfile"
MANIFESTS = sorted(
    path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"
)
EXAMPLE = DEPLOY / "kubernetes" / "secret.example.yaml"
# The oldest release that gets fixes now and the newest that the schemas know.
KUBERNETES_VERSIONS = ["1.34", "1.37"]


def tool(name: str) -> str:
    """A command that a package of the `test` extra brings, or else one on the PATH."""
    beside_python = Path(sys.executable).parent / name
    found = str(beside_python) if beside_python.exists() else shutil.which(name)
    assert found, f"{name} is missing: pip install -e '.[test]'"
    return found


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [tool("docker-compose"), "-f", str(COMPOSE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of all profiles as Compose itself understands them: merged, interpolated, validated."""
    environment = str(DEPLOY / ".env.example")
    read = compose("--env-file", environment, "--profile", "*", "config", "--format", "json")
    assert read.returncode == 0, read.stderr
    found: dict[str, Any] = json.loads(read.stdout)["services"]
    return found


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


ALL_DOCUMENTS = [(path.name, document) for path in MANIFESTS for document in documents(path)]
WORKLOADS = {
    document["metadata"]["name"]: document
    for _, document in ALL_DOCUMENTS
    if document["kind"] in {"Deployment", "StatefulSet", "Job"}
}


def pod(name: str) -> dict[str, Any]:
    found: dict[str, Any] = WORKLOADS[name]["spec"]["template"]["spec"]
    return found


def config_map(name: str) -> dict[str, str]:
    """What the config map `spanloom-NAME` holds."""
    (found,) = (
        document["data"]
        for _, document in ALL_DOCUMENTS
        if document["kind"] == "ConfigMap" and document["metadata"]["name"] == f"spanloom-{name}"
    )
    data: dict[str, str] = found
    return data


# --- Compose


def test_compose_accepts_the_file_with_the_example_environment() -> None:
    checked = compose("--env-file", str(DEPLOY / ".env.example"), "config", "-q")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_compose_refuses_to_start_without_a_password(tmp_path: Path) -> None:
    empty = tmp_path / "env"
    empty.write_text("CLICKHOUSE_PASSWORD=\n")
    checked = compose("--env-file", str(empty), "config", "-q")
    assert checked.returncode != 0
    assert ".env.example" in checked.stderr


def test_every_published_port_is_bound_to_loopback(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    numbers = {port["published"] for port in published}
    assert numbers == {"3000", "4317", "4318", "14317", "14318", "8080", "8123", "9092"}


def test_every_service_has_a_health_check_or_ends_by_itself(services: dict[str, Any]) -> None:
    one_shot = {
        name
        for service in services.values()
        for name, wish in service.get("depends_on", {}).items()
        if wish["condition"] == "service_completed_successfully"
    }
    assert one_shot == {"topics", "migrate"}
    for name, service in services.items():
        assert service["healthcheck"].get("disable", False) == (name in one_shot), name
        assert name in one_shot or service["healthcheck"]["test"], name


def test_workers_start_after_topics_and_migrate(services: dict[str, Any]) -> None:
    conditions = {name: wish["condition"] for name, wish in services["worker"]["depends_on"].items()}
    assert conditions == {
        "kafka": "service_healthy",
        "clickhouse": "service_healthy",
        "topics": "service_completed_successfully",
        "migrate": "service_completed_successfully",
    }
    assert services["worker"]["deploy"]["replicas"] == 2


def test_compose_runs_the_kafka_that_the_tests_run(services: dict[str, Any]) -> None:
    pinned = ElementTree.parse(ROOT / "tests" / "kafka" / "pom.xml").findtext(
        "{*}properties/{*}kafka.version"
    )
    assert services["kafka"]["image"] == f"apache/kafka:{pinned}"


def test_spanloom_runs_with_the_least_rights(services: dict[str, Any]) -> None:
    for name in ("topics", "migrate", "worker", "receiver", "dashboard", "forgetter"):
        assert services[name]["read_only"], name
        assert services[name]["cap_drop"] == ["ALL"], name


def test_grafana_comes_with_its_profile_only() -> None:
    plain = compose("--env-file", str(DEPLOY / ".env.example"), "config", "--services")
    assert plain.returncode == 0, plain.stderr
    assert "clickhouse" in plain.stdout.split()
    assert "grafana" not in plain.stdout.split()


def test_grafana_lets_nobody_in_without_a_password_of_ones_own(services: dict[str, Any]) -> None:
    grafana = services["grafana"]
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    command = [part.replace("$$", "$") for part in grafana["entrypoint"]]
    for password in ("", "change-me", "change-me-too"):
        started = subprocess.run(
            command,
            env={"GF_SECURITY_ADMIN_PASSWORD": password},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert started.returncode == 1
        assert "GRAFANA_ADMIN_PASSWORD" in started.stderr


def test_grafana_and_clickhouse_know_the_same_password_and_never_an_empty_one(
    services: dict[str, Any], tmp_path: Path
) -> None:
    name = "GRAFANA_CLICKHOUSE_PASSWORD"
    assert services["grafana"]["environment"][name] == services["clickhouse"]["environment"][name]
    without = tmp_path / "env"
    lines = (
        (DEPLOY / ".env.example")
        .read_text()
        .replace("DASHBOARD_PASSWORD=change-me", "DASHBOARD_PASSWORD=first")
    )
    without.write_text("\n".join(line for line in lines.splitlines() if not line.startswith(name)))
    read = compose("--env-file", str(without), "--profile", "*", "config", "--format", "json")
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout)["services"]
    assert {found[service]["environment"][name] for service in ("grafana", "clickhouse")} == {"first"}


# --- The Collector


def test_the_collector_writes_otlp_protobuf_to_the_topic_that_workers_read() -> None:
    config = yaml.safe_load((DEPLOY / "otel-collector.yaml").read_text())
    exporter = config["exporters"]["kafka"]
    assert exporter["traces"] == {"topic": "otlp_spans", "encoding": "otlp_proto"}
    assert exporter["producer"]["allow_auto_topic_creation"] is False
    assert config["service"]["pipelines"] == {
        "traces": {"receivers": ["otlp"], "processors": ["memory_limiter"], "exporters": ["kafka"]}
    }
    protocols = config["receivers"]["otlp"]["protocols"]
    assert set(protocols) == {"grpc", "http"}
    assert all(one["auth"] == {"authenticator": "bearertokenauth"} for one in protocols.values())


def test_the_collector_mounts_the_file_and_knows_the_broker(services: dict[str, Any]) -> None:
    collector = services["otel-collector"]
    assert [Path(volume["source"]).name for volume in collector["volumes"]] == ["otel-collector.yaml"]
    wanted = set(re.findall(r"\$\{env:(\w+)}", (DEPLOY / "otel-collector.yaml").read_text()))
    assert wanted == set(collector["environment"])


def test_compose_runs_the_collector_that_the_tests_build(services: dict[str, Any]) -> None:
    collector = services["otel-collector"]
    (source,) = re.findall(r"collector-contrib:(\S+)", collector["build"]["dockerfile_inline"])
    assert source == collector["image"].partition(":")[2] == building.version()
    manifest = building.MANIFEST.read_text()
    assert set(re.findall(r" v(0\.\S+)", manifest)) == {source}
    minor = source.rpartition(".")[0]
    assert f"the Collector {minor}:" in (DEPLOY / "otel-collector.yaml").read_text()


def test_kafka_takes_the_largest_batch_and_the_largest_batch_takes_a_large_span(
    services: dict[str, Any],
) -> None:
    exporter = yaml.safe_load((DEPLOY / "otel-collector.yaml").read_text())["exporters"]["kafka"]
    accepted = int(services["kafka"]["environment"]["KAFKA_MESSAGE_MAX_BYTES"])
    assert (
        exporter["sending_queue"]["batch"]["max_size"] < exporter["producer"]["max_message_bytes"] <= accepted
    )


# --- The image


def test_hadolint_has_nothing_to_say() -> None:
    checked = subprocess.run(
        [tool("hadolint"), "--no-color", str(DOCKERFILE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.read_text().replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_the_image_runs_spanloom_as_a_numeric_user_that_is_not_root() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("ENTRYPOINT") == ['["spanloom"]']
    assert instructions("CMD") == ['["worker"]']
    assert len(instructions("FROM")) == 2


def test_the_build_context_is_what_the_wheel_needs() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    packages = {"schemas", "agents", "spanloom"}  # that these suffice is seen by tests/wheel
    files = {"pyproject.toml", "README.md", "LICENSE"}
    files |= {"deploy/image/build-requirements.txt", "deploy/image/requirements.txt"}
    assert {rule[1:] for rule in rules if rule.startswith("!")} == packages | files


def images() -> Iterator[str]:
    """Every image that deploy/ names."""
    for path in (DOCKERFILE, COMPOSE):
        for image in re.findall(r"(?:^ *FROM |--from=|^ *image: )(\S+)", path.read_text(), re.MULTILINE):
            yield image
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    for image in kustomization["images"]:
        yield f"{image['name']}:{image['newTag']}"


def test_every_image_is_pinned() -> None:
    named = {image for image in images() if image != "build"}  # `build` is the Dockerfile's own first stage
    assert {image.partition(":")[0] for image in named} >= {"python", "spanloom", "apache/kafka", "busybox"}
    pinned = re.compile(r"[^:]+:\d[\w.-]*(@sha256:[0-9a-f]{64})?")
    assert [image for image in named if not pinned.fullmatch(image)] == []
    # No digest of these was found that independent sources agree on; spanloom's own are built here.
    assert {image.partition(":")[0] for image in named if "@" not in image} == {
        "python",  # the one that builds; the one that runs has a digest
        "apache/kafka",
        "otel/opentelemetry-collector-contrib",
        "spanloom",
        "spanloom-otel-collector",
    }
    assert any(image.startswith("python:3.12-slim@") for image in named)


def test_every_image_of_a_manifest_gets_its_tag_from_the_kustomization() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    used = {container["image"] for name in WORKLOADS for container in pod(name)["containers"]}
    assert used == {image["name"] for image in kustomization["images"]}


# --- Kubernetes


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("document", [pytest.param(d, id=f"{name}-{d['kind']}") for name, d in ALL_DOCUMENTS])
def test_the_manifest_is_valid(document: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_would_find_a_mistake() -> None:
    wrong = documents(DEPLOY / "kubernetes" / "worker.yaml")[0]
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessProbes"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES_VERSIONS[-1], strict=True)


def test_the_kustomization_names_every_manifest() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert sorted(kustomization["resources"]) == [path.name for path in MANIFESTS if path != EXAMPLE]


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_pod_has_the_least_rights(name: str) -> None:
    spec = pod(name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert [
        f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}"
    ] == instructions("USER")
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["limits"]) == {"memory", "ephemeral-storage"}
    volumes = [volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume]
    assert [set(volume) for volume in volumes] == [{"sizeLimit"}] * 2


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_pod_can_write_where_the_image_works(name: str) -> None:
    writable = {
        mount["mountPath"]
        for container in pod(name)["containers"]
        for mount in container["volumeMounts"]
        if not mount.get("readOnly")
    }
    assert writable == {"/tmp", instructions("WORKDIR")[-1]}  # noqa: S108


@pytest.mark.parametrize("name", ["worker", "receiver"])
def test_a_pod_is_probed_where_it_answers(name: str) -> None:
    from spanloom.commands.settings import load

    (worker,) = pod(f"spanloom-{name}")["containers"]
    (port,) = (port for port in worker["ports"] if port["name"] == "web")
    assert port["containerPort"] == getattr(load(), name).web_port
    probes = {kind: worker[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert probes == {
        "startup": {"path": "/live", "port": port["name"]},
        "liveness": {"path": "/live", "port": port["name"]},
        "readiness": {"path": "/ready", "port": port["name"]},
    }


@pytest.mark.parametrize("name", ["spanloom-worker", "spanloom-receiver"])
def test_the_disruption_budget_and_the_workload_mean_the_same_pods(name: str) -> None:
    (budget,) = (
        document
        for _, document in ALL_DOCUMENTS
        if document["kind"] == "PodDisruptionBudget" and document["metadata"]["name"] == name
    )
    workload = WORKLOADS[name]
    assert budget["spec"]["selector"] == workload["spec"]["selector"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_worker_is_a_static_member_under_a_name_that_outlives_its_pod() -> None:
    assert WORKLOADS["spanloom-worker"]["kind"] == "StatefulSet"
    (worker,) = pod("spanloom-worker")["containers"]
    (name,) = (
        variable for variable in worker["env"] if variable["name"] == "SPANLOOM_WORKER__GROUP_INSTANCE_ID"
    )
    assert name["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_the_service_leads_to_the_receivers_ports() -> None:
    (service,) = (
        document
        for _, document in ALL_DOCUMENTS
        if document["kind"] == "Service" and document["metadata"]["name"] == "spanloom-receiver"
    )
    receiver = WORKLOADS["spanloom-receiver"]["spec"]["template"]
    assert service["spec"]["selector"].items() <= receiver["metadata"]["labels"].items()
    ports = {port["name"]: port["containerPort"] for port in receiver["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == {
        name: number for name, number in ports.items() if name != "web"
    }


def test_the_receivers_keys_are_mounted_where_the_settings_look() -> None:
    file = Path(config_map("receiver")["SPANLOOM_RECEIVER__KEYS_FILE"])
    (container,) = pod("spanloom-receiver")["containers"]
    (mount,) = (mount for mount in container["volumeMounts"] if mount["name"] == "keys")
    assert mount["mountPath"] == str(file.parent)


def test_no_more_workers_than_partitions() -> None:
    partitions = int(config_map("kafka")["SPANLOOM_KAFKA__PARTITIONS"])
    assert WORKLOADS["spanloom-worker"]["spec"]["replicas"] <= partitions


# --- Settings


def environment_names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The environment variables that a settings model reads, nested models included."""
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from environment_names(nested, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def used_variables() -> dict[str, str]:
    """Every SPANLOOM_* variable that a file of deploy/ names, commented examples too, with one such file."""
    return {
        variable: str(path.relative_to(ROOT))
        for path in sorted(DEPLOY.rglob("*"))
        if path.is_file()
        for variable in re.findall(r"\bSPANLOOM_[A-Z0-9_]+", path.read_text())
    }


def test_every_variable_is_one_that_the_settings_know() -> None:
    from spanloom.commands.settings import Settings

    prefix = str(Settings.model_config.get("env_prefix", ""))
    known = set(environment_names(Settings, prefix.upper()))
    unknown = {variable: path for variable, path in used_variables().items() if variable not in known}
    assert used_variables()
    assert not unknown


def test_a_pod_has_time_for_its_last_checkpoint() -> None:
    from spanloom.commands.settings import load

    assert pod("spanloom-worker")["terminationGracePeriodSeconds"] >= 2 * load().worker.checkpoint_deadline
