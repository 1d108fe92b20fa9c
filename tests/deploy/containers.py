"""Waybill in containers, as `make up` starts it, under a project of the test's own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.printed_calls import ROOT

KID = "of-the-test"
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo, and the file with its output."""

    process: subprocess.Popen[bytes]
    printed: Path

    def wait_until_sending(self, *, within_s: float = 120.0) -> None:
        """Block until it has registered its shipments; it gives up before that only if nobody responds."""
        deadline = time.monotonic() + within_s
        while "registering shipments: " not in self.printed.read_text():
            assert self.process.poll() is None, self.printed.read_text()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the demo has not begun to send: {self.printed.read_text()}")
            time.sleep(_POLL_S)

    def finish(self) -> str:
        """Wait for it to end with the known totals and return its output."""
        returncode = self.process.wait(timeout=400)
        printed = self.printed.read_text()
        assert returncode == 0, printed
        assert "totals equal the data set's known answer" in printed
        return printed


@dataclass(frozen=True, slots=True)
class Containers:
    """The containers of one compose project, behind a gateway on `port`, with `settings` of `.env`."""

    project: str
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def gateway_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        own = {"WAYBILL_PORT": str(self.port), "COMPOSE_PROJECT_NAME": self.project, "COMPOSE_BAKE": "false"}
        # As without make, whatever the machine: the tests use both.
        own |= {"PROCESSORS": "1", "WAYBILL_MONGO_CPUS": "2", "WAYBILL_MONGO_MEMORY": "768M"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return {**inherited, **own, "JWT_KID": KID, **self.settings}

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` and return its output."""
        return _run("docker", "compose", *arguments, environment=self.environment)

    def make(self, *arguments: str) -> str:
        """Run `make` and return its output."""
        return _run("make", "--no-print-directory", *arguments, environment=self.environment)

    def refused(self, *command: str) -> str:
        """Run a command that must fail and return its output."""
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode != 0, ran.stdout
        return ran.stdout + ran.stderr

    def running_since(self) -> dict[str, str]:
        """Return the container of each server with its start time; nothing for jobs."""
        ids = self.compose("ps", "--quiet").split()
        shown = _run("docker", "inspect", "--format", "{{.Name}} {{.Id}} {{.State.StartedAt}}", *ids)
        return dict(line.split(" ", 1) for line in shown.splitlines())

    def volumes(self) -> set[str]:
        """Return the names, in the file, of the volumes that the project has."""
        label = "com.docker.compose"
        shown = _run(
            *("docker", "volume", "ls", "--filter", f"label={label}.project={self.project}"),
            *("--format", f'{{{{.Label "{label}.volume"}}}}'),
        )
        return set(shown.split())

    def health(self, service: str) -> str:
        """Return the health of a container as Docker reports it."""
        name = f"{self.project}-{service}-1"
        return _run("docker", "inspect", "--format", "{{.State.Health.Status}}", name).strip()

    def up(self, *arguments: str) -> float:
        """Start all containers, block until they are healthy, and return how many seconds that took."""
        started = time.monotonic()
        self.compose("up", "--detach", "--build", "--wait", "--quiet-pull", *arguments)
        return time.monotonic() - started

    def down(self, *arguments: str) -> None:
        self.compose("--profile", "*", "down", "--remove-orphans", *arguments)

    def all(self) -> list[dict[str, Any]]:
        """Return the state of each container as compose reports it."""
        return [json.loads(line) for line in self.compose("ps", "--all", "--format", "json").splitlines()]

    def unwell(self) -> list[str]:
        """Return the containers that neither run healthily nor have completed."""
        return [
            f"{one['Name']}: {one['Status']}"
            for one in self.all()
            if one["Health"] != "healthy" and not (one["State"] == "exited" and one["ExitCode"] == 0)
        ]

    def kill(self, service: str, *, index: int = 1, signal: str = "KILL") -> None:
        """Kill -9 the main process of a container, which Docker does not count as a requested stop."""
        name = f"{self.project}-{service}-{index}"
        pid = _run("docker", "inspect", "--format", "{{.State.Pid}}", name).strip()
        _run(*([] if os.geteuid() == 0 else ["sudo", "-n"]), "kill", f"-{signal}", pid)

    def wait_until(self, service: str, health: str, *, within_s: float = 120.0) -> None:
        """Block until Docker reports the state of a container."""
        deadline = time.monotonic() + within_s
        while self.health(service) != health:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{service} is {self.health(service)}, not {health}")
            time.sleep(_POLL_S)

    def wait_until_well(self, *, within_s: float = 120.0) -> float:
        """Block until all is healthy and return how many seconds that took."""
        started = time.monotonic()
        time.sleep(_POLL_S)  # Docker takes a moment to see that a process has ended
        while unwell := self.unwell():
            if time.monotonic() - started > within_s:
                raise TimeoutError(f"not well after {within_s:g} s: {unwell}")
            time.sleep(_POLL_S)
        return time.monotonic() - started

    @contextmanager
    def demo(self) -> Iterator[Demo]:
        """Run `make demo` against the gateway while the context lasts, which begins amid its traffic."""
        with tempfile.NamedTemporaryFile(prefix="demo-") as printed:
            process = subprocess.Popen(
                [sys.executable, "-m", "demo"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            demo = Demo(process, Path(printed.name))
            try:
                demo.wait_until_sending()
                yield demo
            finally:
                process.kill()
                process.wait()

    def whole_demo(self) -> str:
        """Run `make demo` to its end and return its output."""
        with self.demo() as demo:
            return demo.finish()


def _run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout
