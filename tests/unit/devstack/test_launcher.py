"""Programs that are run to their end."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path

import pytest

from devstack.supervision.launcher import Launcher
from tests.support.waiting import wait_until


async def test_the_end_of_a_program_whose_run_is_cancelled_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned: list[Process] = []
    spawn = Launcher.spawn

    async def noted(
        self: Launcher, name: str, command: tuple[str, ...], *, environment: Mapping[str, str]
    ) -> Process:
        spawned.append(await spawn(self, name, command, environment=environment))
        return spawned[-1]

    monkeypatch.setattr(Launcher, "spawn", noted)
    with (tmp_path / "lock").open("wb") as lock:
        launcher = Launcher(tmp_path, {"PATH": "/bin:/usr/bin"}, lock.fileno())
        run = asyncio.create_task(launcher.run("sleeper", ("sleep", "60"), environment={}))
        await wait_until(lambda: bool(spawned))
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    assert spawned[0].returncode is not None
