from pathlib import Path

from devstack.console.banner import services_banner
from devstack.parts.gateway import find_start, gateway_part
from devstack.parts.services import FRUGAL, PLAIN, Addresses, replica_names, service_part
from httpkit.settings import HttpSettings
from tests.support import setting_names
from webhooks.settings import WebhookSettings

ADDRESSES = Addresses(
    mongo_uri="mongodb://127.0.0.1:1/?replicaSet=rs0",
    redis_addr="127.0.0.1:2",
    kafka_brokers="127.0.0.1:3",
    environment="development",
    log_level="info",
    jwt_secret="s3cret",  # noqa: S106 - not one
    webhooks_keys="k3ys",
)


def test_a_service_is_configured_by_the_documented_environment() -> None:
    part = service_part("ingest-api", "ingest-api-2", port=8001, environment=ADDRESSES.as_environment())

    assert part.command[-2:] == ("-m", "ingest_api")
    assert part.environment == {
        **PLAIN,
        "ENV": "development",
        "HOST": "127.0.0.1",
        "WAYBILL_BIND": "127.0.0.1",
        "WAYBILL_DOMAIN": "",
        "PORT": "8001",
        "LOG_LEVEL": "info",
        "MONGO_URI": "mongodb://127.0.0.1:1/?replicaSet=rs0",
        "MONGO_DB": "shipping_system",
        "REDIS_ADDR": "127.0.0.1:2",
        "REDIS_MODE": "server",
        "REDIS_DB": "0",
        "KAFKA_BROKERS": "127.0.0.1:3",
        "JWT_SECRET": "s3cret",
        "WEBHOOKS_KEYS": "k3ys",
        "WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "TRUSTED_PROXIES": "1",
        "INSTANCE_ID": "ingest-api-2",
        "PROCESSOR_GROUP_INSTANCE": "ingest-api-2",
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "1048576",
    }


def test_a_service_is_left_the_time_to_end_what_is_in_flight() -> None:
    part = service_part("webhooks", "webhooks", port=8001, environment={})
    drain_s = WebhookSettings.model_fields["drain_s"].default
    assert part.drain_timeout_s > drain_s + HttpSettings().shutdown_timeout_s


def test_the_image_frugally_allocates_as_the_embedded_stack_does() -> None:
    image = (find_start().parents[1] / "docker" / "Dockerfile").read_text()
    assert FRUGAL
    assert [name for name, value in FRUGAL.items() if f"{name}={value} " not in image] == []


def test_the_embedded_stores_are_reached_without_tls_whatever_the_shell_sets() -> None:
    settings = {
        name
        for name in setting_names.of_services()
        if name.startswith(("KAFKA_S", "REDIS_", "MONGO_TLS")) and name != "REDIS_TIMEOUT_S"
    }
    assert settings - {"KAFKA_SASL_MECHANISM"} <= set(ADDRESSES.as_environment())


def test_secrets_stay_out_of_what_is_printed() -> None:
    assert "s3cret" not in repr(ADDRESSES)
    assert "k3ys" not in repr(ADDRESSES)


def test_replicas_are_counted_from_one() -> None:
    assert replica_names("processor", 3) == ("processor-1", "processor-2", "processor-3")


def test_the_gateway_knows_every_replica() -> None:
    part = gateway_part(
        Path("haproxy"),
        data=Path("data"),
        port=80,
        inner_port=86,
        replicas={"ingest-api": [1, 2], "query-api": [3], "webhooks": [4], "portal": [5]},
    )

    assert part.environment["INGEST_UPSTREAMS"] == "127.0.0.1:1 127.0.0.1:2"
    assert part.environment["QUERY_UPSTREAMS"] == "127.0.0.1:3"
    assert part.environment["WEBHOOKS_UPSTREAMS"] == "127.0.0.1:4"
    assert part.environment["PORTAL_UPSTREAMS"] == "127.0.0.1:5"
    assert part.environment["WAYBILL_INNER_PORT"] == "86"
    assert part.environment["WAYBILL_BIND"] == "127.0.0.1"


def test_the_gateways_start_is_found_in_the_checkout() -> None:
    assert find_start().parts[-3:] == ("deploy", "gateway", "start")


def test_the_banner_names_the_next_steps(tmp_path: Path) -> None:
    banner = services_banner(gateway_port=8080, logs=tmp_path, environment="development")

    for text in ("http://localhost:8080", "admin_user", "driver_user_001", "password123", str(tmp_path)):
        assert text in banner
    assert banner.index("http://localhost:8080/console") < banner.index("http://localhost:8080/docs")
    assert banner.index("http://localhost:8080/track") < banner.index("http://localhost:8080/docs")
    assert "curl" in banner
    assert "Ctrl-C stops everything" in banner


def test_the_banner_names_no_users_where_none_are_seeded(tmp_path: Path) -> None:
    banner = services_banner(gateway_port=8080, logs=tmp_path, environment="production")

    assert "password123" not in banner
    assert "curl -s http://localhost:8080/health" in banner
