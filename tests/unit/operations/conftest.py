"""Commands, run in this process against a stand-in."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from operations.__main__ import main
from tests.unit.operations.stand_in import StandIn, standing_in


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


@pytest.fixture
def waybill(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with standing_in() as stand_in:
        monkeypatch.setenv("WAYBILL_URL", stand_in.url)
        monkeypatch.setenv("WAYBILL_USER", "ana")
        monkeypatch.setenv("WAYBILL_PASSWORD", "secret")
        monkeypatch.delenv("WAYBILL_API_KEY", raising=False)
        yield stand_in


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["operations", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return CommandResult(int(ended.value.code or 0), said.out, said.err)

    return ran
