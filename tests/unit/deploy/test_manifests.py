"""Every object is valid for Kubernetes, and every pod is as restricted as it can be."""

import re
import warnings

import pytest

from tests.support.manifests import Manifests
from toolbox.__main__ import COMMANDS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import kubernetes_validate

KUBERNETES = "1.34"
OF_OTHERS = {
    "ExternalSecret": "external-secrets.io/v1",
    "PodMonitor": "monitoring.coreos.com/v1",
    "ScaledObject": "keda.sh/v1alpha1",
}
"""Kinds that operators of the cluster bring, whose schemas are not Kubernetes' own."""

SERVICES = {"ingest-api", "query-api", "processor", "webhooks", "portal"}


def test_kubernetes_knows_every_field(overlay: Manifests) -> None:
    for each in overlay.objects:
        if each["kind"] in OF_OTHERS:
            assert each["apiVersion"] == OF_OTHERS[each["kind"]]
        else:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_an_unknown_field_would_be_found(production: Manifests) -> None:
    spoilt = {**production.of("Service")["gateway"], "spec": {"selektor": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, KUBERNETES, strict=True)


def test_no_pod_has_more_rights_than_it_needs(overlay: Manifests) -> None:
    for pod in overlay.pods.values():
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod.spec["automountServiceAccountToken"] is False
        assert pod.spec["enableServiceLinks"] is False, "or Kubernetes sets KAFKA_PORT and its like"
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys()
        if pod.kind != "StatefulSet":
            [mount, *_] = pod.spec["containers"][0]["volumeMounts"]
            assert mount == {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108  # in the pod
        for container in pod.containers:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, (pod.name, container["name"])
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own.get("readOnlyRootFilesystem") is True or pod.kind == "StatefulSet", pod.name


def test_namespaces_refuse_other_pods(overlay: Manifests) -> None:
    [namespace] = overlay.of("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"].get("namespace") for each in overlay.objects if each["kind"] != "Namespace"} == {
        namespace["metadata"]["name"]
    }


def test_every_container_is_bounded_and_named_by_version(overlay: Manifests) -> None:
    for pod in overlay.pods.values():
        for container in pod.containers:
            resources = container["resources"]
            assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}
            assert re.search(r":(?!latest$)[\w.-]+$", container["image"]), container["image"]


def test_no_secret_is_part_of_production(production: Manifests) -> None:
    assert production.of("Secret") == {}
    [external] = production.of("ExternalSecret").values()
    given = {each["secretKey"] for each in external["spec"]["data"]}
    asked: set[str] = set()
    for pod in production.pods.values():
        for container in pod.containers:
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference is not None:
                    assert reference["name"] == external["spec"]["target"]["name"]
                    asked.add(reference["key"])
    assert asked == given


def test_each_pod_gets_the_secrets_it_needs_and_no_other(production: Manifests) -> None:
    secrets = {"JWT_SECRET", "MONGO_URI", "WEBHOOKS_KEYS"}
    given = {name: secrets & production.environment(name).keys() for name in production.pods}
    assert given == {
        "ingest-api": {"JWT_SECRET"},
        "query-api": {"JWT_SECRET", "MONGO_URI"},
        "webhooks": secrets,
        "portal": {"MONGO_URI"},
        **{name: {"MONGO_URI"} for name in ("processor", "schema", "backup", "toolbox")},
        **{name: set() for name in ("gateway", "topics")},
    }


def test_jobs_run_commands_of_the_toolbox(overlay: Manifests) -> None:
    for pod in overlay.pods.values():
        for container in pod.containers:
            if container.get("command", ["sleep"])[0] != "sleep":
                program, command, *_ = container["command"]
                assert program == "waybill-admin"
                assert command in COMMANDS
                assert container["image"].rpartition("/")[2].startswith("toolbox")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_probes_ask_what_they_should(production: Manifests, name: str) -> None:
    [container] = production.pods[name].spec["containers"]
    asked = {
        probe: container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }, "a store that is away must make nobody restart"
    [port] = container["ports"]
    assert str(port["containerPort"]) == production.environment(name)["PORT"]
