import io

import pytest
from aiohttp.test_utils import unused_port
from rich.console import Console

from demo import cli
from demo.dataset.known_answer import load
from demo.progress import LiveDisplay, PlainDisplay, display_on
from demo.run.driver import Report, Run
from demo.run.receiving import Received
from demo.run.sending import Traffic
from demo.table import percentile_ms, show, verdict


def test_a_missing_stack_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    port = unused_port()
    monkeypatch.setenv("WAYBILL_PORT", str(port))
    with pytest.raises(SystemExit) as ended:
        cli.run()
    said = capfd.readouterr()
    assert ended.value.code == 1
    assert said.err == f"error: nothing listens at http://localhost:{port}: start it first: make run\n"
    assert said.out == ""


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_an_invalid_port_is_reported(
    port: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAYBILL_PORT", port)
    with pytest.raises(SystemExit) as ended:
        cli.run()
    assert ended.value.code == 1
    assert "WAYBILL_PORT must be" in capfd.readouterr().err


def test_an_interruption_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def interrupted(*_: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "demo", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.run()
    said = capfd.readouterr()
    assert ended.value.code == 130
    assert said.out.startswith("demo stopped: ")
    assert said.out.count("\n") == 1
    assert said.err == ""


@pytest.mark.parametrize(("differences", "code"), [([], None), (["total applied: 1"], 1)])
def test_the_exit_code_is_the_verdict(
    differences: list[str], code: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def done(*_: object) -> Report:
        return _report(differences=differences)

    monkeypatch.setattr(cli, "demo", done)
    if code is None:
        cli.run()
        return
    with pytest.raises(SystemExit) as ended:
        cli.run()
    assert ended.value.code == code


def test_the_table_shows_measured_and_expected_totals() -> None:
    console = Console(file=io.StringIO(), width=100)
    known = load()
    show(_report(), console)
    lines = _lines(console)
    assert ["applied", f"{known.first_run.applied:,}", f"{known.first_run.applied:,}"] in lines
    assert ["delivered", "786", "786"] in lines
    assert ["batch accepted after, p50", "10.0 ms"] in lines
    assert ["totals equal the data set's known answer"] in lines


def test_many_differences_are_cut_short() -> None:
    lines = list(verdict(_report(differences=[f"line {number}" for number in range(25)])))
    assert lines[0] == "25 differences from the data set's known answer:"
    assert len(lines) == 22
    assert lines[-1] == "  ... and 5 more"


def test_a_file_gets_plain_lines() -> None:
    console = Console(file=io.StringIO(), width=100)
    with display_on(console) as display:
        assert isinstance(display, PlainDisplay)
        with display.stage("sending scans", 1200) as advance:
            advance(1000)
            advance(200)
    (line,) = _lines(console)
    assert line[0].startswith("sending scans: 1,200 of 1,200 in ")


def test_a_terminal_gets_bars() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with display_on(console) as display:
        assert isinstance(display, LiveDisplay)
        with display.stage("sending scans", 10) as advance:
            advance(10)
    assert "sending scans" in _text(console)


def test_percentiles_are_measured_values() -> None:
    seconds = [0.004, 0.001, 0.002, 0.003]
    assert percentile_ms(seconds, 0.5) == 2
    assert percentile_ms(seconds, 0.99) == 4
    assert percentile_ms([0.005], 0.5) == 5


def _report(*, differences: list[str] | None = None) -> Report:
    known = load()
    return Report(
        run=Run.FIRST,
        bookings=1000,
        already_there=0,
        moved=978,
        traffic=Traffic(accepted=known.sent, accept_s=[0.01], visible_s=[0.02], took_s=1.5),
        deliveries=known.first_run,
        known=known.first_run,
        standing=known.standing,
        known_standing=known.standing,
        received=Received(changes=4_500, told=4_500, repeated=3, differences=[]),
        differences=differences or [],
    )


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _lines(console: Console) -> list[list[str]]:
    rows = (line.strip().split("  ") for line in _text(console).splitlines())
    return [[cell.strip() for cell in row if cell.strip()] for row in rows if any(row)]
