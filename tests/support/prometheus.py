"""A real Prometheus that watches a stack with the configuration of deploy/prometheus."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devstack.client import RunningStack
from devstack.home.stack_file import SERVICES

DEPLOYED = Path(__file__).parents[2] / "deploy/prometheus"
READY_WITHIN_S = 30.0


def program(name: str) -> Path:
    """Find `prometheus` or `promtool`: on the PATH, or in Debian's package, fetched but not installed.

    Raises:
        RuntimeError: it is neither here nor to be had.
    """
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waybill/prometheus"
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = cache / "usr/bin" / name
    with (cache / "lock").open("w") as lock:  # test processes run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            _unpack(cache)
    return unpacked


def _unpack(cache: Path) -> None:
    lists = cache / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    # Lists of its own: those of the machine may be missing, and only root may renew them.
    apt = ["apt-get", "-qq", "-o", f"Dir::State::Lists={lists}", "-o", "APT::Sandbox::User=root"]
    apt += ["-o", f"Dir::Cache={cache}/cache"]
    try:
        subprocess.run([*apt, "update"], check=True, capture_output=True, text=True)
        subprocess.run(
            [*apt, "download", "prometheus"], check=True, capture_output=True, text=True, cwd=cache
        )
        package = next(cache.glob("prometheus_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, cache], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        reported = getattr(error, "stderr", "") or str(error)
        raise RuntimeError(
            f"prometheus and promtool are missing: apt-get install prometheus. {reported}"
        ) from error


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401  # JSON
        """Return the data of a response."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as response:  # noqa: S310
            return json.load(response)["data"]

    def values(self, expression: str) -> list[float]:
        """Return the current values of a query."""
        found = self.ask("query", query=expression.replace("$__rate_interval", "1m"))
        return [float(series["value"][1]) for series in found["result"]]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the rules that alert, with the state of each."""
        groups = self.ask("rules", type="alert")["groups"]
        return [rule for group in groups for rule in group["rules"]]


@contextmanager
def watching(stack: RunningStack, home: Path, *, every: str = "1s") -> Iterator[Prometheus]:
    """Run Prometheus on a stack while the context lasts, with the deployed rules and jobs."""
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "prometheus.yml"
    settings.write_text(yaml.safe_dump(_settings(stack, every)))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        str(program("prometheus")),
        f"--config.file={settings}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait_ready(f"http://127.0.0.1:{port}/-/ready")
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _settings(stack: RunningStack, every: str) -> dict[str, Any]:
    """Return the deployed configuration, with addresses of `stack` for names that only compose knows."""
    deployed: dict[str, Any] = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
    members = stack.members()
    jobs = [job for job in deployed["scrape_configs"] if job["job_name"] in SERVICES]
    for job in jobs:
        targets = [f"127.0.0.1:{member.port}" for member in members[job["job_name"]]]
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": targets}]
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [str(DEPLOYED / pattern) for pattern in deployed["rule_files"]],
        "scrape_configs": jobs,
    }


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own server
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
