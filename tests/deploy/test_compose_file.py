"""docker-compose.yml, the Dockerfile and the contents of a build, read without an engine."""

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from tests.support.printed_calls import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {name for name, service in SERVICES.items() if service["restart"].startswith("on-failure")}
OBSERVERS = {name for name, service in SERVICES.items() if "observability" in service.get("profiles", ())}
OWN = {name for name, service in SERVICES.items() if "waybill/" in service["image"]}
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
LAPTOP_BYTES = 4 * 1024**3
UNITS = {"M": 1024**2, "G": 1024**3}

every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def memory_of(name: str) -> int:
    deploy = SERVICES[name]["deploy"]
    text = default_of(deploy["resources"]["limits"]["memory"])
    return int(text[:-1]) * UNITS[text[-1]] * int(default_of(str(deploy.get("replicas", 1))))


def default_of(text: str) -> str:
    """Return a value as it is if its variable is not set."""
    return re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", text)


def with_all_awaited(name: str) -> set[str]:
    """Return a service and all its dependencies."""
    return {name}.union(*map(with_all_awaited, SERVICES[name].get("depends_on", ())))


def built_by(name: str) -> str | None:
    """Return the image that a service builds."""
    return SERVICES[name]["image"] if "build" in SERVICES[name] else None


def test_only_the_gateway_has_a_port_outside_and_it_is_on_loopback_by_default() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert all(port.startswith("${WAYBILL_BIND:-127.0.0.1}:") for port in SERVICES["gateway"]["ports"])
    assert not any(service.get("network_mode") == "host" for service in SERVICES.values())


@every_service
def test_images_are_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert tag
    assert "latest" not in tag
    assert name in OWN or re.search(r"\d", tag)


@every_service
def test_a_container_may_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert name in OWN or service["user"] not in {"root", "0"}
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


@every_service
def test_a_container_has_limits_a_restart_policy_and_logs_that_end(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["restart"] == ("on-failure:5" if name in JOBS else "unless-stopped")
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@every_service
def test_each_server_has_a_health_check(name: str) -> None:
    if name in JOBS or name == "jaeger":  # a job ends; Jaeger's image has no program to ask with
        return
    # the images of Waybill bring their own
    assert name in OWN or "test" in SERVICES[name]["healthcheck"]


def test_all_that_runs_by_default_fits_a_laptop() -> None:
    default = [name for name, service in SERVICES.items() if "profiles" not in service and name not in JOBS]
    assert sum(map(memory_of, default)) < LAPTOP_BYTES * 6 // 7
    assert sum(map(memory_of, [*default, *OBSERVERS])) < LAPTOP_BYTES * 9 // 8


def test_dependencies_are_awaited_healthy_or_completed() -> None:
    for service in SERVICES.values():
        for awaited, how in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if awaited in JOBS else "service_healthy"
            assert how["condition"] == done


def test_kafka_is_reached_from_outside_only_if_asked_for_and_with_a_password() -> None:
    outside: dict[str, Any] = yaml.safe_load((ROOT / "deploy/docker/kafka-outside.yml").read_text())
    kafka = outside["services"]["kafka"]
    assert kafka["ports"] == ["${KAFKA_OUTSIDE_BIND:-127.0.0.1}:${KAFKA_OUTSIDE_PORT:-9094}:9094"]
    environment = kafka["environment"]
    assert "OUTSIDE:SASL_PLAINTEXT" in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert "${KAFKA_OUTSIDE_PASSWORD:?" in environment["KAFKA_LISTENER_NAME_OUTSIDE_PLAIN_SASL_JAAS_CONFIG"]
    rights = re.findall(r"--operation (\w+)", outside["services"]["kafka-acls"]["command"][-1])
    assert rights == ["Read", "Describe"]
    awaited = outside["services"]["topics"]["depends_on"]["kafka-acls"]["condition"]
    assert awaited == "service_completed_successfully"
    masquerades = outside["networks"]["outside"]["driver_opts"]
    assert masquerades == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


def test_data_is_on_named_volumes() -> None:
    for name, place in {"mongo": "/data/db", "redis": "/data", "kafka": "/var/lib/kafka/data"}.items():
        assert SERVICES[name]["volumes"][0] == f"{name}:{place}"
        assert name in COMPOSE["volumes"]


def test_no_registry_is_asked_for_what_is_built_here() -> None:
    for name in OWN:
        assert SERVICES[name]["image"].startswith("localhost/waybill/"), name
        assert SERVICES[name]["pull_policy"] == ("build" if "build" in SERVICES[name] else "never"), name


def test_each_image_is_built_by_one_service() -> None:
    """Two builds of one name take turns at it, and each `up` recreates what runs."""
    built = Counter(SERVICES[name]["image"] for name in OWN if "build" in SERVICES[name])
    assert built == Counter({SERVICES[name]["image"] for name in OWN})
    # ... and by one that comes with whatever is asked for, as by `up mongo redis`
    for name in OWN:
        unless_scaled = with_all_awaited(name.removesuffix("-more"))
        assert SERVICES[name]["image"] in map(built_by, unless_scaled), name


def test_passwords_are_read_by_those_who_need_them() -> None:
    def mounts(name: str) -> set[str]:
        volumes = SERVICES[name].get("volumes", ())
        return {volume.partition(":")[0] for volume in volumes if isinstance(volume, str)}

    webhooks = {"webhooks", "webhooks-more"}
    assert {name for name in SERVICES if "secrets" in mounts(name)} == {
        *("secret", "ingest-api", "ingest-api-more", "query-api", "query-api-more", *webhooks)
    }
    assert {name for name in SERVICES if "keys" in mounts(name)} == {"secret", *webhooks}
    assert {name for name in SERVICES if "passwords" in mounts(name)} == OWN - {"gateway"} | {
        "mongo",
        "redis",
    }
    for name in OWN - {"gateway", "secret"}:
        assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"] if "/backups" not in volume)
        directories = SERVICES[name]["environment"]["SECRETS_DIR"].split(":")
        assert set(directories) == {f"/{each}" for each in mounts(name) & {"secrets", "passwords", "keys"}}


def test_stores_ask_for_a_password() -> None:
    assert "--keyFile" in SERVICES["mongo"]["command"][-1]
    acl = SERVICES["redis"]["command"][-1]
    assert "'default on nopass -@all +ping'" in acl
    assert "--aclfile" in acl


def test_backups_may_stand_outside_of_what_compose_deletes() -> None:
    assert "${WAYBILL_BACKUPS:-backups}:/backups" in SERVICES["backup"]["volumes"]


def test_health_checks_wait_for_a_response() -> None:
    checks = {
        name: str(service["healthcheck"]) for name, service in SERVICES.items() if "healthcheck" in service
    }
    assert not [name for name, check in checks.items() if re.search(r"\bnc\b", check)]
    gateway = next(stage for stage in STAGES if stage.splitlines()[0].endswith(" AS gateway"))
    assert "http://127.0.0.1:8080/health/live" in gateway


def test_the_stores_have_no_way_out() -> None:
    assert COMPOSE["networks"]["back"]["internal"] is True
    for store in ("mongo", "redis", "kafka"):
        assert SERVICES[store]["networks"] == ["back"]


def test_the_profile_scale_is_two_of_each_api_and_three_processors() -> None:
    scaled = {name for name, service in SERVICES.items() if service.get("profiles") == ["scale"]}
    assert scaled == {"ingest-api-more", "query-api-more", "webhooks-more", "portal-more", "processor-more"}
    assert SERVICES["processor-more"]["deploy"]["replicas"] == 2
    for api in ("ingest-api", "query-api", "webhooks", "portal"):
        # Prometheus and the gateway find all by one name.
        assert SERVICES[api]["networks"]["front"]["aliases"] == [api]
        assert SERVICES[f"{api}-more"]["networks"]["front"]["aliases"] == [api]


def test_the_gateway_looks_up_all_replicas_of_a_service_by_one_name_that_it_has_not_itself() -> None:
    environment = SERVICES["gateway"]["environment"]
    for variable, api, port in (
        ("INGEST", "ingest-api", 8081),
        ("QUERY", "query-api", 8082),
        ("WEBHOOKS", "webhooks", 8084),
        ("PORTAL", "portal", 8085),
    ):
        upstreams = environment[f"{variable}_UPSTREAMS"]
        assert upstreams == f"${{{variable}_UPSTREAMS:-{api}:{port}}}"
    assert SERVICES["gateway"]["networks"] == ["front"]
    assert environment["WAYBILL_RESOLVER"] == "${WAYBILL_RESOLVER:-127.0.0.11:53}"


def test_no_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("SECRETS?$|PASSWORD$|TOKEN$|KEYS?$", variable):
                assert value is None, f"{variable} is passed on"


def test_every_image_of_ours_ends_without_root_or_tools_and_gets_signals_itself() -> None:
    last = {stage.splitlines()[0].rpartition(" AS ")[2]: stage for stage in STAGES}
    for name in ("gateway", "service"):
        stage = last[name]
        assert re.findall(r"^USER (.+)$", stage, flags=re.MULTILINE) == ["10001:10001"]
        assert re.search(r'^CMD \["', stage, flags=re.MULTILINE)
        assert re.search(r"^HEALTHCHECK (.|\\\n)*CMD \[", stage, flags=re.MULTILINE)
        assert not re.search(r"\b(pip|uv|apt|apt-get|apk) (install|sync|add)\b", stage)
        assert "org.opencontainers.image.revision" in stage
    assert STAGES[-1] is last["service"]


def test_dependencies_come_from_the_lock_file_and_bases_are_pinned() -> None:
    syncs = re.findall(r"uv sync (.*)", DOCKERFILE)
    assert syncs
    assert all("--frozen" in sync and "--no-dev" in sync for sync in syncs)
    python = re.search(r"^ARG PYTHON=(\S+)$", DOCKERFILE, flags=re.MULTILINE)
    assert python is not None
    assert f"${{WAYBILL_PYTHON_IMAGE:-{python[1]}}}" in (ROOT / "docker-compose.yml").read_text()
    bases = {stage.split()[0].replace("${PYTHON}", python[1]) for stage in STAGES}
    assert all(re.search(r":\d", base) for base in bases)
    uv = re.search(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert uv is not None
    assert f"ARG UV_VERSION={uv[1]}\n" in DOCKERFILE


def test_the_build_sees_only_what_it_needs() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!")} == {
        "!pyproject.toml",
        "!uv.lock",
        "!clients/python",
        "!libs",
        "!services",
        "!tools",
        "!deploy/gateway",
    }
