"""Which connections Kubernetes' network policies let through: for each pod those that its part needs, and no others.

The policies are read as the API describes them: policies that select a pod add up, and a pod that one selects for a
direction takes nothing else in that direction.
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy.test_deploy import ALL_DOCUMENTS, WORKLOADS, config_map, pod

POLICIES = [document["spec"] for _, document in ALL_DOCUMENTS if document["kind"] == "NetworkPolicy"]
PARTS = ("worker", "receiver", "dashboard", "migrate", "topics")

KAFKA, CLICKHOUSE, DNS = 9093, 8443, 53


def labels_of(part: str) -> dict[str, str]:
    found: dict[str, str] = WORKLOADS[f"spanloom-{part}"]["spec"]["template"]["metadata"]["labels"]
    return found


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector means something with these labels; an empty one means everything."""
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    for wanted in selector.get("matchExpressions", []):
        assert wanted["operator"] == "In"
        if labels.get(wanted["key"]) not in wanted["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def rules(labels: dict[str, str], direction: str) -> Iterator[dict[str, Any]] | None:
    """The rules of a direction that hold for a pod, None where everything goes."""
    chosen = [
        policy
        for policy in POLICIES
        if selects(policy["podSelector"], labels) and direction.title() in policy["policyTypes"]
    ]
    if not chosen:
        return None
    return (rule for policy in chosen for rule in policy.get(direction, []))


def is_let(labels: dict[str, str], direction: str, peer: str, port: int, protocol: str = "TCP") -> bool:
    """Whether a pod with these labels may talk in a direction.

    Args:
        peer: a namespace, or an address outside of the cluster.
    """
    found = rules(labels, direction)
    if found is None:
        return True
    for rule in found:
        peers = rule.get("from" if direction == "ingress" else "to", [])
        ports = rule.get("ports", [])
        assert peers, "an empty list would be everybody"
        assert ports, "an empty list would be every port"
        if (protocol, port) in {(one["protocol"], one["port"]) for one in ports} and any(
            _is_meant(one, peer) for one in peers
        ):
            return True
    return False


def _is_meant(peer: dict[str, Any], who: str) -> bool:
    if "ipBlock" in peer:
        return who[0].isdigit() and ip_address(who) in ip_network(peer["ipBlock"]["cidr"])
    name = {} if who[0].isdigit() else {"kubernetes.io/metadata.name": who}
    return bool(name) and selects(peer["namespaceSelector"], name)


def open_ports(part: str, direction: str, peer: str) -> set[int]:
    """All ports of TCP that are open between a part and somebody."""
    ports = {
        *range(1, 1024),
        4317,
        4318,
        6063,
        6064,
        6065,
        6066,
        8080,
        8123,
        8443,
        9000,
        9092,
        9093,
        6443,
        10250,
    }
    return {port for port in ports if is_let(labels_of(part), direction, peer, port)}


@pytest.mark.parametrize(
    ("part", "peer", "ports"),
    [
        ("receiver", "shop", {4317, 4318}),
        ("receiver", "monitoring", {4317, 4318, 6065}),
        ("receiver", "203.0.113.7", set()),
        ("dashboard", "ingress-nginx", {8080}),
        ("dashboard", "monitoring", {6064}),
        ("dashboard", "shop", set()),
        ("dashboard", "203.0.113.7", set()),
        ("worker", "monitoring", {6066}),
        ("worker", "shop", set()),
        ("worker", "spanloom", set()),
        ("migrate", "monitoring", set()),
        ("topics", "monitoring", set()),
    ],
)
def test_who_may_come_in(part: str, peer: str, ports: set[int]) -> None:
    assert open_ports(part, "ingress", peer) == ports


@pytest.mark.parametrize(
    ("part", "needed"),
    [
        ("worker", {KAFKA: "kafka", CLICKHOUSE: "clickhouse"}),
        ("receiver", {KAFKA: "kafka"}),
        ("dashboard", {CLICKHOUSE: "clickhouse"}),
        ("migrate", {CLICKHOUSE: "clickhouse"}),
        ("topics", {KAFKA: "kafka"}),
    ],
)
def test_where_a_part_may_go(part: str, needed: dict[int, str]) -> None:
    for port, namespace in needed.items():
        assert open_ports(part, "egress", namespace) == {port}
    assert open_ports(part, "egress", "10.20.30.40") == set(needed)
    assert open_ports(part, "egress", "kube-system") == {DNS}
    assert is_let(labels_of(part), "egress", "kube-system", DNS, "UDP")
    for elsewhere in ("203.0.113.7", "169.254.169.254", "shop", "spanloom"):
        assert open_ports(part, "egress", elsewhere) == set(), elsewhere


def test_a_pod_that_nobody_described_may_nothing() -> None:
    stranger = {"app": "shell"}
    for direction in ("ingress", "egress"):
        assert rules(stranger, direction) is not None
        assert not is_let(stranger, direction, "kube-system", DNS)


def test_the_ports_are_those_of_the_pods_and_of_the_config_maps() -> None:
    for part in ("worker", "receiver", "dashboard"):
        (container,) = pod(f"spanloom-{part}")["containers"]
        declared = {port["containerPort"] for port in container["ports"]}
        peers = ("monitoring", "ingress-nginx", "shop")
        assert declared == set().union(*(open_ports(part, "ingress", peer) for peer in peers))
    servers = config_map("kafka")["SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"].split(",")
    assert {int(server.rpartition(":")[2]) for server in servers} == {KAFKA}
    assert urlsplit(config_map("clickhouse")["SPANLOOM_CLICKHOUSE__URL"]).port == CLICKHOUSE


def test_every_part_has_a_policy_of_its_own() -> None:
    own = [policy for policy in POLICIES if "app.kubernetes.io/component" in str(policy["podSelector"])]
    parts = [policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for policy in own]
    assert sorted(parts) == sorted(PARTS)
    assert {f"spanloom-{part}" for part in PARTS} == set(WORKLOADS)
