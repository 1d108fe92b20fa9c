"""Supervision of real processes, with stand-ins instead of stores."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from devstack.console.terminal import StackConsole
from devstack.errors import PartFailedError, PrerequisiteError
from devstack.home.ports import choose_ports, is_free
from devstack.home.stack_file import Member, read_members
from devstack.supervision.launcher import Launcher, tail
from devstack.supervision.part import Part
from devstack.supervision.probes import http_probe
from devstack.supervision.supervisor import Supervisor

pytestmark = pytest.mark.stack

LARGEST_LOG_BYTES = 200_000
STAND_IN = Path(__file__).with_name("stand_in.py")


class Bench:
    """A supervisor in a directory of its own."""

    def __init__(self, directory: Path, *, lock: int) -> None:
        self.directory = directory
        self.stack_file = directory / "stack.json"
        self.launcher = Launcher(directory, os.environ, lock, LARGEST_LOG_BYTES)
        console = StackConsole(Console(quiet=True), file=directory / "supervisor.log")
        self.supervisor = Supervisor(self.launcher, console, stack_file=self.stack_file)

    @property
    def notes(self) -> str:
        log = self.directory / "supervisor.log"
        return log.read_text() if log.exists() else ""

    def member(self, group: str) -> Member:
        members = read_members(self.stack_file)
        assert members is not None
        return members[group][0]

    async def replaced(self, group: str, old: Member) -> Member:
        await until(lambda: self.member(group) != old)
        return self.member(group)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # init reaps orphans when it likes
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    with (tmp_path / "lock").open("w") as lock:
        bench = Bench(tmp_path, lock=lock.fileno())
        yield bench
        bench.supervisor.kill()
        await bench.supervisor.stop()


def part(group: str, *behaviour: str, ready_timeout_s: float = 30, drain_timeout_s: float = 10) -> Part:
    seed = random.SystemRandom().getrandbits(32)
    port = choose_ports([group], remembered={}, is_free=is_free, seed=seed)[group]
    return Part(
        group=group,
        name=group,
        command=(sys.executable, str(STAND_IN), str(port), *behaviour),
        port=port,
        probe=http_probe(port, "/health/ready"),
        ready_timeout_s=ready_timeout_s,
        drain_timeout_s=drain_timeout_s,
    )


async def test_the_stack_file_appears_when_everything_is_ready_and_goes_at_the_stop(bench: Bench) -> None:
    first, second = part("processor"), part("processor")
    await bench.supervisor.start(first)
    await bench.supervisor.start(second)
    assert not bench.stack_file.exists()

    bench.supervisor.watch()
    members = read_members(bench.stack_file)
    assert members is not None
    assert [member.port for member in members["processor"]] == [first.port, second.port]
    assert all(psutil.pid_exists(member.pid) for member in members["processor"])

    await bench.supervisor.stop()
    assert not bench.stack_file.exists()
    assert not any(psutil.pid_exists(member.pid) for member in members["processor"])


async def test_a_child_that_dies_at_its_start_ends_the_start_with_its_last_words(bench: Bench) -> None:
    with pytest.raises(PartFailedError, match=r"^processor died at its start: exit code 1$") as caught:
        await bench.supervisor.start(part("processor", "crash", ready_timeout_s=60))

    assert caught.value.details == ("the broker is on holiday",)


async def test_a_child_that_is_never_ready_reports_its_last_response(bench: Bench) -> None:
    with pytest.raises(PartFailedError, match="not ready after 1 s: /health/ready returns 503: as set"):
        await bench.supervisor.start(part("processor", "mute", ready_timeout_s=1))


async def test_a_program_that_does_not_exist_is_one_line(bench: Bench) -> None:
    missing = Part(group="redis", name="redis", command=("/no/such/redis",), port=1, probe=http_probe(1, "/"))

    with pytest.raises(PartFailedError, match="exit code 127") as caught:
        await bench.supervisor.start(missing)

    assert caught.value.details == ("cannot run /no/such/redis: No such file or directory",)


async def test_a_missing_library_is_named(bench: Bench, tmp_path: Path) -> None:
    loader = tmp_path / "mongod"
    loader.write_text(
        "#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4: no' >&2; exit 127"
    )
    loader.chmod(0o755)
    missing = Part(group="mongod", name="mongod", command=(str(loader),), port=1, probe=http_probe(1, "/"))

    with pytest.raises(PrerequisiteError, match=r"libcurl\.so\.4: apt-get install libcurl4$"):
        await bench.supervisor.start(missing)


async def test_a_dead_child_is_replaced_and_the_reason_noted(bench: Bench) -> None:
    await bench.supervisor.start(part("redis"))
    bench.supervisor.watch()
    old = bench.member("redis")

    os.kill(old.pid, signal.SIGKILL)
    new = await bench.replaced("redis", old)

    assert new.port == old.port
    assert psutil.pid_exists(new.pid)
    assert f"redis (pid {old.pid}) died: killed by SIGKILL; restart 1 in 0.1 s" in bench.notes
    assert f"redis (pid {new.pid}) is ready again" in bench.notes


async def test_restarts_continue_after_a_failed_one(bench: Bench, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    child = part("redis")
    script = f'test -e "{broken}" && exit 3; exec "$@"'
    await bench.supervisor.start(
        Part(
            group="redis",
            name="redis",
            command=("/bin/sh", "-c", script, "sh", *child.command),
            port=child.port,
            probe=child.probe,
        )
    )
    bench.supervisor.watch()
    old = bench.member("redis")

    broken.touch()
    os.kill(old.pid, signal.SIGKILL)
    await until(lambda: "restart 3" in bench.notes)
    broken.unlink()

    assert (await bench.replaced("redis", old)).pid != old.pid
    assert "restart failed: redis died at its start: exit code 3" in bench.notes


async def test_a_child_that_does_not_drain_is_killed(bench: Bench) -> None:
    await bench.supervisor.start(part("processor", "deaf", drain_timeout_s=0.3))
    bench.supervisor.watch()
    pid = bench.member("processor").pid

    await bench.supervisor.stop()

    assert not psutil.pid_exists(pid)
    assert "processor did not end by itself and was killed" in bench.notes


async def test_a_stop_can_be_hastened(bench: Bench) -> None:
    await bench.supervisor.start(part("processor", "deaf", drain_timeout_s=60))
    bench.supervisor.watch()
    stopping = asyncio.create_task(bench.supervisor.stop())
    await until(lambda: not bench.stack_file.exists())

    bench.supervisor.kill()

    async with asyncio.timeout(5):
        await stopping


async def test_a_paused_child_stops_in_time(bench: Bench) -> None:
    await bench.supervisor.start(part("processor"))
    bench.supervisor.watch()
    os.kill(bench.member("processor").pid, signal.SIGSTOP)

    async with asyncio.timeout(5):
        await bench.supervisor.stop()

    assert bench.notes == ""


async def test_descendants_of_a_child_are_killed(bench: Bench) -> None:
    await bench.supervisor.start(part("processor", "brood"))
    grandchild = int(tail(bench.launcher.log("processor"))[0])

    assert alive(grandchild)
    await bench.supervisor.stop()

    await until(lambda: not alive(grandchild))


async def test_a_one_shot_command_that_fails_shows_its_last_words(bench: Bench) -> None:
    with pytest.raises(PartFailedError, match=r"^topics failed: exit code 1$") as caught:
        await bench.launcher.run(
            "topics", (sys.executable, "-c", "raise SystemExit('no broker')"), environment={}
        )

    assert caught.value.details == ("no broker",)


async def test_logs_stay_small_while_their_programs_write(bench: Bench) -> None:
    await bench.supervisor.start(part("redis", "chatty"))
    bench.supervisor.watch()
    oldest = bench.directory / "redis.log.3"
    await until(oldest.exists)
    logs = sorted(path.name for path in bench.directory.glob("redis.log*"))
    assert logs == ["redis.log", "redis.log.1", "redis.log.2", "redis.log.3"]
    # What is written until the next look comes on top: this program writes at most a megabyte a second.
    assert all(path.stat().st_size < LARGEST_LOG_BYTES + 4_000_000 for path in bench.directory.glob("redis*"))
    # Not while one is being copied: the supervisor looks every few moments.
    await until(
        lambda: all((bench.directory / name).stat().st_size > LARGEST_LOG_BYTES / 2 for name in logs[1:3])
    )
    last, first = (bench.directory / "redis.log.2").read_text(), (bench.directory / "redis.log.1").read_text()
    # To copy and to empty are two steps: what is written between them is lost, as by `copytruncate`.
    assert 1 <= int(first.split(maxsplit=2)[1]) - int(last.splitlines()[-1].split()[1]) < 20
