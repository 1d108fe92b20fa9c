"""The manifests as the services read them: settings, time to stop, scaling, releases."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

import ingest_api.settings
import portal.settings
import processor.settings
import query_api.settings
import webhooks.settings
from devstack.parts.gateway import UPSTREAMS
from httpkit.settings import HttpSettings
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from processor.settings import LoopSettings
from servicekit.settings import Environment, read_settings
from storage.settings import RetentionSettings
from tests.support.manifests import Manifests
from webhooks.settings import WebhookSettings

LONGEST_END_OF_A_PROCESSOR_S = 18
"""docs/reliability.md; tests/faults/pressure/test_stopping.py holds it."""

HOUR_S = 3_600


def have_only(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", ["ingest-api", "query-api", "processor", "webhooks", "portal"])
def test_the_services_understand_their_environment(
    production: Manifests, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = {
        "ingest-api": ingest_api.settings,
        "query-api": query_api.settings,
        "processor": processor.settings,
        "webhooks": webhooks.settings,
        "portal": portal.settings,
    }
    environment = production.environment(name)
    have_only(monkeypatch, environment)
    settings = read_settings(trees[name].Settings)
    assert settings.service.env is Environment.PRODUCTION
    assert settings.kafka.brokers.count(",") == 2
    assert (settings.kafka.replication_factor, settings.kafka.min_insync_replicas) == (3, 2)
    assert settings.http.trusted_proxies == 2, "the ingress controller and the gateway"


def test_no_setting_is_misspelt(production: Manifests) -> None:
    documented = Path(__file__).parents[3].joinpath(".env.example").read_text()
    [config] = production.of("ConfigMap").values()
    assert [name for name in config["data"] if f"{name}=" not in documented] == []


@pytest.mark.parametrize("name", ["ingest-api", "query-api", "webhooks", "portal"])
def test_an_api_has_time_to_finish(production: Manifests, name: str) -> None:
    spec = production.pods[name].spec
    sleep_s = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    least_s = sleep_s + HttpSettings().shutdown_timeout_s + KafkaSettings().publish_timeout_s
    assert spec["terminationGracePeriodSeconds"] >= least_s + 10
    strategy = production.of("Deployment")[name]["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxUnavailable"] == 0


def test_webhooks_has_time_to_end_its_attempts(production: Manifests) -> None:
    spec = production.pods["webhooks"].spec
    drain_s = WebhookSettings.model_fields["drain_s"].default
    sleep_s = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] >= sleep_s + drain_s + HttpSettings().shutdown_timeout_s + 10


def test_the_processor_has_time_to_drain(production: Manifests) -> None:
    spec = production.pods["processor"].spec
    assert spec["terminationGracePeriodSeconds"] >= LONGEST_END_OF_A_PROCESSOR_S + 10
    assert LoopSettings().drain_s < LONGEST_END_OF_A_PROCESSOR_S


def test_there_are_never_more_processors_than_partitions(production: Manifests) -> None:
    """A processor without a partition is not ready: an update with one more would wait for it forever."""
    partitions = int(production.environment("processor")["KAFKA_PARTITIONS"])
    [scaled] = production.of("ScaledObject").values()
    assert scaled["spec"]["maxReplicaCount"] == partitions
    assert scaled["spec"]["fallback"]["replicas"] <= partitions
    assert scaled["spec"]["minReplicaCount"] >= 2
    deployment = production.of("Deployment")["processor"]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert "replicas" not in deployment, "or every deployment would undo the scaling"


def test_scaling_asks_for_the_lag_of_the_group(production: Manifests) -> None:
    [scaled] = production.of("ScaledObject").values()
    [trigger] = scaled["spec"]["triggers"]
    assert trigger["metadata"]["consumerGroup"] == LoopSettings().group
    assert trigger["metadata"]["topic"] == Topics().events
    assert trigger["metadata"]["bootstrapServersFromEnv"] in production.environment("processor")


def test_no_processor_has_a_name_in_the_group(overlay: Manifests) -> None:
    """A static member does not leave the group when it stops: its partitions wait for the session to end."""
    assert "PROCESSOR_GROUP_INSTANCE" not in overlay.environment("processor")


def test_scaled_workloads_exist_and_start_with_several(production: Manifests) -> None:
    deployments = production.of("Deployment")
    scaled = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in production.of("HorizontalPodAutoscaler").values()
    }
    assert scaled.keys() | {"processor"} == deployments.keys()
    assert min(scaled.values()) >= 2


def test_one_pod_of_a_kind_goes_at_a_time(production: Manifests) -> None:
    budgets = production.of("PodDisruptionBudget")
    assert budgets.keys() == production.of("Deployment").keys()
    for name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert production.selected(budget["spec"]["selector"]) == {name}


@pytest.mark.parametrize("key", ["topology.kubernetes.io/zone", "kubernetes.io/hostname"])
def test_pods_are_spread(production: Manifests, key: str) -> None:
    for name in production.of("Deployment"):
        rules = production.pods[name].spec["topologySpreadConstraints"]
        [rule] = [rule for rule in rules if rule["topologyKey"] == key]
        assert rule["maxSkew"] == 1
        assert production.selected(rule["labelSelector"]) == {name}


def test_backups_are_younger_than_the_log(production: Manifests) -> None:
    job = production.of("CronJob")["backup"]["spec"]
    assert job["schedule"].split()[1:] == ["*", "*", "*", "*"], "hourly"
    assert job["concurrencyPolicy"] == "Forbid"
    [container] = production.pods["backup"].spec["containers"]
    *_, keep = container["command"]
    assert int(keep) < int(production.environment("processor")["KAFKA_RETENTION_HOURS"])
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] < HOUR_S


def test_the_toolbox_runs_only_for_operators(production: Manifests) -> None:
    assert production.of("CronJob")["toolbox"]["spec"]["suspend"] is True


def test_retention_has_its_place_and_its_defaults(
    production: Manifests, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_only(monkeypatch, production.environment("schema"))
    assert list(RetentionSettings().days.values()) == [30, None]


def test_services_lead_to_ports_that_exist(overlay: Manifests) -> None:
    for name, service in overlay.of("Service").items():
        pods = overlay.selected({"matchLabels": service["spec"]["selector"]})
        assert pods, name
        for pod in pods:
            [container] = overlay.pods[pod].spec["containers"]
            listening = [port["containerPort"] for port in container["ports"]]
            assert [port["port"] for port in service["spec"]["ports"]] == listening


def test_the_gateway_knows_where_the_services_are(production: Manifests) -> None:
    environment, services = production.environment("gateway"), production.of("Service")
    for name, variable in UPSTREAMS.items():
        assert environment[variable] == f"{name}:{services[name]['spec']['ports'][0]['port']}"


def test_the_settings_of_the_gateway_are_among_all_others(production: Manifests) -> None:
    [container] = production.pods["gateway"].spec["containers"]
    [config] = production.of("ConfigMap").values()
    read = [each["valueFrom"]["configMapKeyRef"]["key"] for each in container["env"] if "valueFrom" in each]
    assert read == ["WAYBILL_TRUSTED_PROXIES", "WAYBILL_CONNECTIONS_PER_ADDRESS"]
    assert set(read) <= set(config["data"])


def test_the_portal_reaches_the_api_by_a_door_of_its_own(production: Manifests) -> None:
    [inner] = [
        port for port in production.of("Service")["gateway"]["spec"]["ports"] if port["name"] == "inner"
    ]
    assert production.environment("portal")["PORTAL_API_URL"] == f"http://gateway:{inner['port']}"
    outside = repr(production.of("Ingress"))
    assert "inner" not in outside
    assert str(inner["port"]) not in outside


def test_a_canary_gets_its_share_and_belongs_to_nobody_else(overlays: Mapping[str, Manifests]) -> None:
    canary = overlays["canary"]
    for name in ("ingest-api", "query-api"):
        service = canary.of("Service")[name]["spec"]["selector"]
        assert canary.selected({"matchLabels": service}) == {name, f"{name}-canary"}
        deployments = canary.of("Deployment")
        for owner in (name, f"{name}-canary"):
            assert canary.selected(deployments[owner]["spec"]["selector"]) == {owner}
        assert deployments[f"{name}-canary"]["spec"]["replicas"] == 1
        images = {
            owner: canary.pods[owner].spec["containers"][0]["image"] for owner in (name, f"{name}-canary")
        }
        assert len(set(images.values())) == 2


def test_green_gets_nothing_before_the_switch(overlays: Mapping[str, Manifests]) -> None:
    both = overlays["blue-green"]
    for name in ("ingest-api", "query-api"):
        selector = both.of("Service")[name]["spec"]["selector"]
        assert both.selected({"matchLabels": selector}) == {name}
        switched = {**selector, "waybill.dev/track": "green"}
        assert both.selected({"matchLabels": switched}) == {f"{name}-green"}


def test_the_version_is_the_project_s(production: Manifests) -> None:
    project = Path(__file__).parents[3].joinpath("pyproject.toml").read_text()
    for name in production.of("Deployment"):
        tag = production.pods[name].spec["containers"][0]["image"].rpartition(":")[2]
        assert f'version = "{tag}"' in project
