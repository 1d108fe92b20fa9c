"""Who may talk to whom: everything that is needed, and nothing else."""

from tests.support.manifests import Manifest, Manifests

STORES = "10.20.0.0/16"
NEEDED = {
    *(
        (pod, "kube-system", 53)
        for pod in ("gateway", "ingest-api", "query-api", "processor", "topics", "schema", "backup")
    ),
    ("gateway", "ingest-api", 8081),
    ("gateway", "query-api", 8082),
    *((pod, STORES, 9092) for pod in ("ingest-api", "query-api", "processor", "topics")),
    *((pod, STORES, 6379) for pod in ("ingest-api", "query-api", "processor")),
    *((pod, STORES, 6380) for pod in ("ingest-api", "query-api", "processor")),
    *((pod, STORES, 27017) for pod in ("query-api", "processor", "schema", "backup")),
}
WELCOME = {
    ("ingress-nginx", "gateway", 8080),
    *(
        (other, pod, port)
        for other in ("gateway",)
        for pod in ("ingest-api", "query-api")
        for port in (8081, 8082)
    ),
    *(
        ("monitoring", pod, port)
        for pod in ("ingest-api", "query-api", "processor")
        for port in (8081, 8082, 8083)
    ),
}


def peers(manifests: Manifests, peer: Manifest) -> set[str]:
    """Return whom an entry of `from` or `to` means: pods of ours, a namespace or a subnet."""
    if "ipBlock" in peer:
        return {peer["ipBlock"]["cidr"]}
    if "namespaceSelector" in peer:
        return {peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]}
    return manifests.selected(peer["podSelector"])


def flows(manifests: Manifests, direction: str) -> set[tuple[str, str, int]]:
    """Return who may send to whom, or get from whom, at which port."""
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


def test_all_is_forbidden_that_is_not_allowed(overlay: Manifests) -> None:
    spec = overlay.of("NetworkPolicy")["default-deny"]["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_pods_reach_what_they_need(production: Manifests) -> None:
    assert flows(production, "egress") == NEEDED


def test_pods_are_reached_by_whom_they_serve(production: Manifests) -> None:
    assert flows(production, "ingress") == WELCOME


def test_in_development_stores_are_reached_by_those_who_need_them(overlays: dict[str, Manifests]) -> None:
    dev = overlays["dev"]
    out = {flow for flow in flows(dev, "egress") if flow[1] in ("kafka", "mongo", "redis")}
    into = {flow for flow in flows(dev, "ingress") if flow[1] in ("kafka", "mongo", "redis")}
    wanted = {("kafka", 9092), ("mongo", 27017), ("redis", 6379)}
    assert {flow for flow in out if flow[1:] in wanted} == {flow for flow in into if flow[1:] in wanted}
    assert {flow[1:] for flow in out} >= wanted
