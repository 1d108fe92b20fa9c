"""Settings of the embedded stack, read once from the environment by `__main__`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from devstack.errors import SettingsError
from devstack.home.links import links_from
from devstack.loopback import past_proxies

DEFAULT_GATEWAY_PORT = 8080
_HIGHEST_PORT = 65_535
_MOST_REPLICAS = 64
_MOST_BROKERS = 9
_MOST_SENTINELS = 9
_MOST_MEMBERS = 7  # of a replica set, as far as they vote


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """Settings of one supervisor.

    Attributes:
        log_mb: size at which a log is rotated; three rotated ones are retained.
        mongo_members: how many processes MongoDB is; from three on, one may be away.
        mongo_cache_gb: WiredTiger's cache of all members together, in GiB.
        kafka_brokers: how many JVMs Kafka is, each with `kafka_heap_mb`; from three on, one may be away.
        redis_sentinels: how many Sentinels watch Redis, which then has a replica; 0: it is one server.
        links: addresses that services use instead of a store's own, by the store's name.
        inherited: the environment that the children start from.
        notes: lines to print first.
    """

    home: Path
    cache: Path
    gateway_port: int = DEFAULT_GATEWAY_PORT
    stores_only: bool = False
    processors: int = 1
    ingest_replicas: int = 1
    query_replicas: int = 1
    webhooks_replicas: int = 1
    portal_replicas: int = 1
    environment: str = "development"
    jwt_secret: str | None = field(default=None, repr=False)
    webhooks_keys: str | None = field(default=None, repr=False)
    mongo_members: int = 1
    mongo_cache_gb: float = 1.0
    kafka_brokers: int = 1
    kafka_heap_mb: int = 512
    redis_sentinels: int = 0
    log_mb: float = 20.0
    links: Mapping[str, str] = field(default_factory=dict)
    inherited: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, env: Mapping[str, str], *, stores_only: bool) -> Self:
        """Read the settings from `env`.

        Raises:
            SettingsError: a number is not one or out of range, or a link is malformed.
        """
        cache = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or "/tmp") / ".cache")  # noqa: S108 - a service account may have no home; jars are public
        kafka_brokers = _whole(env, "WAYBILL_KAFKA_BROKERS", 1, most=_MOST_BROKERS)
        redis_sentinels = _whole(env, "WAYBILL_REDIS_SENTINELS", 0, least=0, most=_MOST_SENTINELS)
        mongo_members = _odd(env, "WAYBILL_MONGO_MEMBERS", 1, most=_MOST_MEMBERS)
        return cls(
            home=_directory("WAYBILL_HOME", Path(env.get("WAYBILL_HOME") or ".waybill").absolute()),
            cache=_directory("XDG_CACHE_HOME", cache / "waybill"),
            gateway_port=_whole(env, "WAYBILL_PORT", DEFAULT_GATEWAY_PORT, most=_HIGHEST_PORT),
            stores_only=stores_only,
            processors=_whole(env, "PROCESSORS", 1, most=_MOST_REPLICAS),
            ingest_replicas=_whole(env, "INGEST_REPLICAS", 1, most=_MOST_REPLICAS),
            query_replicas=_whole(env, "QUERY_REPLICAS", 1, most=_MOST_REPLICAS),
            webhooks_replicas=_whole(env, "WEBHOOKS_REPLICAS", 1, most=_MOST_REPLICAS),
            portal_replicas=_whole(env, "PORTAL_REPLICAS", 1, most=_MOST_REPLICAS),
            environment=env.get("ENV") or "development",
            jwt_secret=env.get("JWT_SECRET") or None,
            webhooks_keys=env.get("WEBHOOKS_KEYS") or None,
            mongo_members=mongo_members,
            mongo_cache_gb=_fraction(env, "WAYBILL_MONGO_CACHE_GB", 1.0),
            kafka_brokers=kafka_brokers,
            kafka_heap_mb=_whole(env, "WAYBILL_KAFKA_HEAP_MB", 512, most=65_536),
            redis_sentinels=redis_sentinels,
            log_mb=_fraction(env, "WAYBILL_LOG_MB", 20.0),
            links=links_from(
                env,
                kafka_brokers=kafka_brokers,
                redis_sentinels=redis_sentinels,
                mongo_members=mongo_members,
            ),
            inherited=past_proxies(env),
        )


def _directory(name: str, path: Path) -> Path:
    """Return `path` if every program of the stack can use it; Kafka splits lists of paths by itself."""
    text = str(path)
    if any(character in text for character in ",:") or any(not character.isprintable() for character in text):
        raise SettingsError(f"{name} must be a path in UTF-8 without comma or colon, not {text!a}")
    return path


def _whole(env: Mapping[str, str], name: str, default: int, *, most: int, least: int = 1) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)


def _odd(env: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    """Return an odd number: a member more makes it even, and lets none more be away."""
    text = env.get(name) or str(default)
    if text not in {str(number) for number in range(1, most + 1, 2)}:
        raise SettingsError(f"{name} must be an odd number from 1 to {most}, not {text!r}")
    return int(text)


def _fraction(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name) or str(default)
    least = 0.25  # what mongod accepts
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not least <= value <= 10_000:  # noqa: PLR2004 - mongod's own bound
        raise SettingsError(f"{name} must be a number from {least} to 10000, not {text!r}")
    return value
