"""Commands, run in this process against a stand-in."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.clients.command.stand_in import StandIn, standing_in
from waybill.cli import context
from waybill.cli.__main__ import main


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON
        """Its output, as JSON."""
        return json.loads(self.out)


Run = Callable[..., CommandResult]


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give a user without profiles; return the folder that has theirs."""
    for name in ("URL", "USER", "PASSWORD", "API_KEY", "PROFILE"):
        monkeypatch.delenv(f"WAYBILL_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "waybill"


@pytest.fixture(autouse=True)
def _no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """See each failure at once: how the client retries is tested with the client."""
    monkeypatch.setattr(context, "RETRIES", 0)


@pytest.fixture
def waybill(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with standing_in() as stand_in:
        monkeypatch.setenv("WAYBILL_URL", stand_in.url)
        monkeypatch.setenv("WAYBILL_USER", "ana")
        monkeypatch.setenv("WAYBILL_PASSWORD", "secret")
        yield stand_in


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["waybill", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return CommandResult(int(ended.value.code or 0), said.out, said.err)

    return ran


@pytest.fixture
def ops(run: Run) -> Run:
    """Give the commands of operators."""
    return lambda *arguments: run("ops", *arguments)
