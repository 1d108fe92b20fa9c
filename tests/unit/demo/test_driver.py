import io
from dataclasses import replace

import pytest
from rich.console import Console

from demo.dataset.known_answer import KnownAnswer, known_answer
from demo.dataset.model import Numbers, scan_id
from demo.dataset.records import DataSet
from demo.errors import Refused
from demo.progress import PlainDisplay
from demo.run.api import log_in
from demo.run.driver import Report, Run, drive
from demo.run.gateway import Gateway
from demo.table import verdict
from tests.unit.demo.stand_in import StandIn


@pytest.fixture(scope="session")
def answer(morning: DataSet) -> KnownAnswer:
    return known_answer(morning)


async def _drive(gateway: Gateway, data: DataSet, answer: KnownAnswer, *, patience_s: float = 20) -> Report:
    display = PlainDisplay(Console(file=io.StringIO()))
    api = await log_in(gateway)
    return await drive(api, data, answer=answer, display=display, patience_s=patience_s)


async def test_the_first_run_comes_to_the_known_answer(
    gateway: Gateway, morning: DataSet, answer: KnownAnswer
) -> None:
    report = await _drive(gateway, morning, answer)
    assert report.differences == []
    assert (report.run, report.already_there) == (Run.FIRST, 0)
    assert report.deliveries == answer.first_run
    assert report.standing == answer.standing
    assert report.traffic.accepted == len(morning.scans)
    assert list(verdict(report)) == ["totals equal the data set's known answer"]


async def test_later_runs_change_nothing(gateway: Gateway, morning: DataSet, answer: KnownAnswer) -> None:
    await _drive(gateway, morning, answer)
    for _ in range(2):
        report = await _drive(gateway, morning, answer)
        assert report.differences == []
        assert (report.run, report.already_there) == (Run.LATER, len(morning.bookings))
        assert report.deliveries == answer.later_run
        assert report.moved == 0


async def test_creations_may_be_queued_only(
    stand_in: StandIn, gateway: Gateway, morning: DataSet, answer: KnownAnswer
) -> None:
    stand_in.answers_late = True
    for run in (Run.FIRST, Run.LATER):
        report = await _drive(gateway, morning, answer)
        assert report.differences == []
        assert report.run is run


async def test_an_interrupted_run_is_completed(
    gateway: Gateway, morning: DataSet, answer: KnownAnswer
) -> None:
    half = DataSet(morning.bookings[:50], ())
    await _drive(gateway, half, known_answer(half))
    begun = replace(morning, scans=morning.scans[:150])
    await _drive(gateway, begun, known_answer(begun))
    report = await _drive(gateway, morning, answer)
    assert report.differences == []
    assert report.run is Run.RESUMED
    assert report.standing == answer.standing


async def test_a_half_accepted_batch_is_sent_again(
    stand_in: StandIn, gateway: Gateway, morning: DataSet, answer: KnownAnswer
) -> None:
    stand_in.half_taken = 2
    report = await _drive(gateway, morning, answer)
    assert report.differences == []
    assert report.standing == answer.standing
    assert sum(report.traffic.resent.values()) > 0
    sent_again, verdict_line = verdict(report)
    twice = report.deliveries.total - len(morning.scans)
    assert twice > 0
    assert f"; {twice} of them count twice" in sent_again
    assert verdict_line == "but for what counts twice, totals equal the data set's known answer"


async def test_a_lost_event_is_a_difference(
    stand_in: StandIn, gateway: Gateway, morning: DataSet, answer: KnownAnswer, numbers: Numbers
) -> None:
    stand_in.forgotten = frozenset({scan_id(morning.scans[17], numbers)})
    report = await _drive(gateway, morning, answer, patience_s=0.3)
    assert any("no outcome, must be" in line for line in report.differences)
    assert any(line.startswith("total events") for line in report.differences)
    assert "differences from the data set's known answer" in next(verdict(report))


async def test_an_event_applied_behind_its_back_is_a_difference(
    stand_in: StandIn, gateway: Gateway, morning: DataSet, answer: KnownAnswer
) -> None:
    await _drive(gateway, morning, answer)
    number, shipment = next(iter(stand_in.rules.shipments.items()))
    stand_in.rules.shipments[number] = replace(shipment, version=shipment.version + 1)
    report = await _drive(gateway, morning, answer)
    assert [line.partition(":")[0] for line in report.differences] == [number]


async def test_ids_by_another_rule_are_rejected(
    stand_in: StandIn,
    gateway: Gateway,
    morning: DataSet,
    answer: KnownAnswer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = stand_in.rules.report
    monkeypatch.setattr(stand_in.rules, "report", lambda body: honest(body) + "x")
    with pytest.raises(Refused, match="ADR 0003"):
        await _drive(gateway, morning, answer)
