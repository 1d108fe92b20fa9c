from pathlib import Path

import pytest

from devstack.errors import SettingsError
from devstack.settings import StackSettings


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = StackSettings.from_environment({"HOME": "/home/me"}, stores_only=False)

    assert settings.gateway_port == 8080
    assert settings.home == Path.cwd() / ".waybill"
    assert settings.cache == Path("/home/me/.cache/waybill")
    assert (settings.processors, settings.ingest_replicas, settings.query_replicas) == (1, 1, 1)
    assert (settings.webhooks_replicas, settings.portal_replicas) == (1, 1)
    assert (settings.kafka_brokers, settings.redis_sentinels, settings.mongo_members) == (1, 0, 1)
    assert settings.environment == "development"
    assert settings.jwt_secret is None


def test_the_environment_overrides_defaults() -> None:
    signing, sealing = "kept out of every repr", "likewise"
    env = {
        "WAYBILL_PORT": "9000",
        "WAYBILL_HOME": "/data/waybill",
        "XDG_CACHE_HOME": "/cache",
        "PROCESSORS": "3",
        "INGEST_REPLICAS": "2",
        "QUERY_REPLICAS": "4",
        "WEBHOOKS_REPLICAS": "5",
        "PORTAL_REPLICAS": "6",
        "WEBHOOKS_KEYS": sealing,
        "WAYBILL_KAFKA_BROKERS": "3",
        "WAYBILL_REDIS_SENTINELS": "5",
        "WAYBILL_MONGO_MEMBERS": "5",
        "ENV": "production",
        "JWT_SECRET": signing,
    }

    settings = StackSettings.from_environment(env, stores_only=True)

    assert settings.stores_only
    assert settings.gateway_port == 9000
    assert settings.home == Path("/data/waybill")
    assert settings.cache == Path("/cache/waybill")
    assert (settings.processors, settings.ingest_replicas, settings.query_replicas) == (3, 2, 4)
    assert (settings.webhooks_replicas, settings.portal_replicas) == (5, 6)
    assert (settings.kafka_brokers, settings.redis_sentinels, settings.mongo_members) == (3, 5, 5)
    assert settings.environment == "production"
    assert settings.jwt_secret == signing
    assert settings.webhooks_keys == sealing
    assert signing not in repr(settings)
    assert sealing not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAYBILL_PORT", "http"),
        ("WAYBILL_PORT", "70000"),
        ("WAYBILL_PORT", "-1"),
        ("WAYBILL_PORT", "٨٠"),
        ("PROCESSORS", "0"),
        ("QUERY_REPLICAS", "65"),
        ("WEBHOOKS_REPLICAS", "0"),
        ("PORTAL_REPLICAS", "65"),
        ("WAYBILL_MONGO_CACHE_GB", "lots"),
        ("WAYBILL_MONGO_CACHE_GB", "nan"),
        ("WAYBILL_KAFKA_HEAP_MB", "1.5"),
        ("WAYBILL_KAFKA_BROKERS", "10"),
        ("WAYBILL_REDIS_SENTINELS", "10"),
        ("WAYBILL_MONGO_MEMBERS", "2"),
        ("WAYBILL_MONGO_MEMBERS", "9"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} must be an? .*number from .*{value}"):
        StackSettings.from_environment({name: value}, stores_only=False)
