"""Waybill's own services and the commands that prepare the stores for them."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from devstack.errors import PartFailedError, SettingsError
from devstack.home.ports import LOOPBACK
from devstack.parts import redis
from devstack.parts.gateway import upstreams
from devstack.parts.mongod import linked_mongo_uri
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part
from devstack.supervision.probes import http_probe

# What to run once before the services, by the name of its log.
PREPARATIONS = ("topics", "schema")

DATABASE = "shipping_system"

# For glibc's allocator, which by itself keeps what a large batch has taken: the processor holds 6 MiB less.
FRUGAL = {"MALLOC_MMAP_THRESHOLD_": str(128 * 1024), "MALLOC_TRIM_THRESHOLD_": str(1024 * 1024)}

# The stack's stores need no TLS or passwords on this machine: a shell's settings are for other stores.
PLAIN = {
    "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
    "REDIS_TLS": "false",
    **dict.fromkeys(("KAFKA_SSL_CA_FILE", "KAFKA_SSL_CERT_FILE", "KAFKA_SSL_KEY_FILE"), ""),
    **dict.fromkeys(("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"), ""),
    **dict.fromkeys(("MONGO_TLS_CA_FILE", "MONGO_TLS_CERT_KEY_FILE"), ""),
    **dict.fromkeys(("REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_TLS_CA_FILE"), ""),
    **dict.fromkeys(("REDIS_SENTINEL_USERNAME", "REDIS_SENTINEL_PASSWORD"), ""),
    "REDIS_SENTINEL_MASTER": redis.MASTER,
}

# Receivers on this machine, over plain HTTP too: nothing else of a development machine can be reached.
LOOPBACK_NETWORKS = "127.0.0.0/8,::1/128"

LONGEST_END_S = 30.0
"""Seconds that a service may take to end: what is in flight, then requests. Most take less than one."""

# What is read as the services will, before anything starts.
_TREES = (
    "ingest_api.settings:Settings",
    "processor.settings:Settings",
    "query_api.settings:Settings",
    "webhooks.settings:Settings",
    "portal.settings:Settings",
    "storage.settings:RetentionSettings",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses of the stores, and settings shared by the services.

    Attributes:
        redis_mode: what the addresses of Redis are of, as in REDIS_MODE.
    """

    mongo_uri: str
    redis_addr: str
    kafka_brokers: str
    environment: str
    log_level: str
    jwt_secret: str = field(repr=False)
    webhooks_keys: str = field(repr=False)
    webhooks_networks: str = LOOPBACK_NETWORKS
    redis_mode: str = "server"

    def through(self, links: Mapping[str, str]) -> "Addresses":
        """Return the addresses with those of linked stores in place of the stores' own."""
        return replace(
            self,
            mongo_uri=linked_mongo_uri(links["mongod"]) if "mongod" in links else self.mongo_uri,
            redis_addr=links.get("redis", self.redis_addr),
            kafka_brokers=links.get("kafka", self.kafka_brokers),
        )

    def as_environment(self) -> dict[str, str]:
        """Return the environment of a service, without what differs between replicas."""
        return {
            **PLAIN,
            "ENV": self.environment,
            "HOST": LOOPBACK,
            "WAYBILL_BIND": LOOPBACK,  # the gateway's, whatever it is elsewhere
            "WAYBILL_DOMAIN": "",
            "LOG_LEVEL": self.log_level,
            "MONGO_URI": self.mongo_uri,
            "MONGO_DB": DATABASE,
            "REDIS_ADDR": self.redis_addr,
            "REDIS_MODE": self.redis_mode,
            "REDIS_DB": "0",
            "KAFKA_BROKERS": self.kafka_brokers,
            "JWT_SECRET": self.jwt_secret,
            "WEBHOOKS_KEYS": self.webhooks_keys,
            "WEBHOOKS_ALLOWED_NETWORKS": self.webhooks_networks,
            "TRUSTED_PROXIES": "1",  # the gateway
        }


def addresses_of_services(replicas: Mapping[str, Sequence[int]], *, api_port: int) -> dict[str, str]:
    """Return the settings that tell services of each other.

    Args:
        replicas: the ports of each service.
        api_port: where the gateway serves the API to the portal.
    """
    ports = [port for each in replicas.values() for port in each]
    return {
        "INGEST_UPSTREAMS": upstreams(replicas["ingest-api"]),
        "PORTAL_API_URL": f"http://{LOOPBACK}:{api_port}",
        "PORTAL_METRICS_TARGETS": ",".join(f"{LOOPBACK}:{port}" for port in ports),
    }


def replica_names(group: str, count: int) -> tuple[str, ...]:
    """Name the replicas of a service: `processor-1`, `processor-2`, ..."""
    return tuple(f"{group}-{number}" for number in range(1, count + 1))


def service_part(group: str, name: str, *, port: int, environment: Mapping[str, str]) -> Part:
    """Describe one replica of a service, whose module has the service's name."""
    return Part(
        group=group,
        name=name,
        command=module_command(group.replace("-", "_")),
        port=port,
        probe=http_probe(port, "/health/ready"),
        drain_timeout_s=LONGEST_END_S,
        # Replicas keep their names over restarts, so a killed processor has its partitions back in a second.
        environment={
            **environment,
            **FRUGAL,
            "PORT": str(port),
            "INSTANCE_ID": name,
            "PROCESSOR_GROUP_INSTANCE": name,
        },
    )


def preparation(name: str) -> tuple[str, ...]:
    """Return the command that prepares a store."""
    return module_command("toolbox", name)


def module_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs `module` in this environment's Python."""
    return (sys.executable, "-m", module, *arguments)


async def check_settings(launcher: Launcher, environment: Mapping[str, str]) -> None:
    """Read the settings of all services in `environment`, without starting one.

    Raises:
        SettingsError: one of them would not start; the text names each setting.
    """
    command = module_command("toolbox", "check-settings", *_TREES)
    launcher.log("settings").unlink(missing_ok=True)  # faults are looked for in this run's lines only
    try:
        await launcher.run("settings", command, environment=environment)
    except PartFailedError as exc:
        lines = launcher.log("settings").read_text(errors="replace").splitlines()
        faults = [line.removeprefix("settings: ") for line in lines if line.startswith("settings: ")]
        if not faults:
            raise
        raise SettingsError("; ".join(faults)) from exc
