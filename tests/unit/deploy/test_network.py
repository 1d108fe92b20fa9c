"""Network policies: every needed connection, and no other."""

from ipaddress import ip_address, ip_network

import pytest

from tests.support.manifests import Manifest, Manifests

STORES = "10.20.0.0/16"
INTERNET = ("0.0.0.0/0", "2000::/3")
READERS = "query-api processor webhooks portal"
NEEDED_BY = {
    ("kube-system", 53): f"gateway ingest-api {READERS} topics schema backup toolbox",
    ("ingest-api", 8081): "gateway query-api",
    ("query-api", 8082): "gateway",
    ("webhooks", 8084): "gateway",
    ("portal", 8085): "gateway",
    ("gateway", 8086): "portal",
    ("monitoring", 9090): "portal",
    **{(network, 1): "webhooks" for network in INTERNET},
    (STORES, 9092): f"ingest-api {READERS} topics toolbox",
    (STORES, 6379): f"ingest-api {READERS}",
    (STORES, 6380): f"ingest-api {READERS}",
    (STORES, 26379): f"ingest-api {READERS}",
    (STORES, 27017): f"{READERS} schema backup toolbox",
}
SERVES = {
    ("gateway", 8080): "ingress-nginx",
    ("gateway", 8086): "portal",
    ("ingest-api", 8081): "gateway query-api monitoring",
    ("query-api", 8082): "gateway monitoring",
    ("processor", 8083): "monitoring",
    ("webhooks", 8084): "gateway monitoring",
    ("portal", 8085): "gateway monitoring",
}
PORTS = {
    "gateway": {8080, 8086},
    "ingest-api": {8081},
    "query-api": {8082},
    "processor": {8083},
    "webhooks": {8084},
    "portal": {8085},
}


def pairs(table: dict[tuple[str, int], str]) -> set[tuple[str, str, int]]:
    return {(sender, *receiver) for receiver, senders in table.items() for sender in senders.split()}


def peers(manifests: Manifests, peer: Manifest) -> set[str]:
    """Return the peers of an entry of `from` or `to`: pods of ours, a namespace or a subnet."""
    if "ipBlock" in peer:
        return {peer["ipBlock"]["cidr"]}
    if "namespaceSelector" in peer:
        return {peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]}
    return manifests.selected(peer["podSelector"])


def flows(manifests: Manifests, direction: str) -> set[tuple[str, str, int]]:
    """Return the allowed connections, with their ports."""
    key = {"egress": "to", "ingress": "from"}[direction]
    found = set()
    for policy in manifests.of("NetworkPolicy").values():
        for rule in policy["spec"].get(direction, []):
            assert rule[key], f"{policy['metadata']['name']} lets everybody in or out"
            for pod in manifests.selected(policy["spec"]["podSelector"]):
                for other in (each for peer in rule[key] for each in peers(manifests, peer)):
                    for port in rule["ports"]:
                        pair = (pod, other) if direction == "egress" else (other, pod)
                        found.add((*pair, port["port"]))
    return found


def test_connections_are_denied_by_default(overlay: Manifests) -> None:
    spec = overlay.of("NetworkPolicy")["default-deny"]["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_pods_reach_what_they_need(production: Manifests) -> None:
    assert flows(production, "egress") == pairs(NEEDED_BY)


def test_pods_are_reached_by_their_clients(production: Manifests) -> None:
    # A rule for several pods names the ports of all: only one of them is open.
    open_ones = {flow for flow in flows(production, "ingress") if flow[2] in PORTS[flow[1]]}
    assert open_ones == pairs(SERVES)


PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07::1")
INTERNAL = (
    *("10.244.0.7", "10.20.0.5", "172.20.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "127.0.0.1"),
    *("fd00:ec2::254", "fe80::1", "2002:0a00:0001::"),
)


@pytest.mark.parametrize("address", [*PUBLIC, *INTERNAL])
def test_receivers_are_on_the_internet(production: Manifests, address: str) -> None:
    [rule] = production.of("NetworkPolicy")["receivers"]["spec"]["egress"]
    asked = ip_address(address)
    blocks = [peer["ipBlock"] for peer in rule["to"]]
    is_reached = any(
        asked in ip_network(block["cidr"])
        and not any(asked in ip_network(refused) for refused in block["except"])
        for block in blocks
    )
    assert is_reached == (address in PUBLIC)


def test_in_development_stores_are_reached_by_those_who_need_them(overlays: dict[str, Manifests]) -> None:
    dev = overlays["dev"]
    out = {flow for flow in flows(dev, "egress") if flow[1] in ("kafka", "mongo", "redis")}
    into = {flow for flow in flows(dev, "ingress") if flow[1] in ("kafka", "mongo", "redis")}
    wanted = {("kafka", 9092), ("mongo", 27017), ("redis", 6379)}
    assert {flow for flow in out if flow[1:] in wanted} == {flow for flow in into if flow[1:] in wanted}
    assert {flow[1:] for flow in out} >= wanted
