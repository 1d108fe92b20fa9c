"""`import`: the rows of a file are sent, and the result file says what became of each, however it ends."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.clients.command.bodies import NUMBER
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import Asked, Json, StandIn, refusal
from waybill.importing.results import ResultFile, RowResult

HEADER = "tracking_number;status;timestamp;source"
ZONE = ("--zone", "America/Mexico_City")
ERROR = "source must not be api"


def scans(folder: Path, count: int = 2) -> Path:
    """Return a file of events, one a second."""
    rows = [f"{NUMBER};picked_up;2026-11-02 08:{at // 60:02}:{at % 60:02};gate-1" for at in range(count)]
    file = folder / "scans.csv"
    file.write_text("\n".join([HEADER, *rows, ""]))
    return file


def queued(*indices: int) -> list[Json]:
    return [{"index": index, "event_id": f"evt_{index}", "status": "queued"} for index in indices]


def rejected(index: int) -> Json:
    details = [{"pointer": f"/events/{index}/source", "message": "must not be api"}]
    return {"index": index, "status": "rejected", "error": "VALIDATION_ERROR", "details": details}


def batch(*items: Json) -> tuple[int, Json]:
    return 202, {"received": len(items), "queued": len(items), "message": "", "events": list(items)}


def outcomes(folder: Path, name: str = "scans.result.csv") -> list[tuple[str, ...]]:
    lines = (folder / name).read_text().splitlines()
    assert lines[0] == f"{HEADER};waybill_outcome;waybill_event_id;waybill_error"
    return [tuple(line.split(";")[4:]) for line in lines[1:]]


def test_the_result_file_is_the_file_with_outcomes_and_errors(
    waybill: StandIn, run: Run, tmp_path: Path
) -> None:
    waybill.responses.append(batch(*queued(0), rejected(1)))
    ended = run("import", str(scans(tmp_path)), *ZONE, "--json")
    assert outcomes(tmp_path) == [("queued", "evt_0", ""), ("rejected", "", ERROR)]
    result = str(tmp_path / "scans.result.csv")
    assert ended.json == {"kind": "events", "rows": 2, "queued": 1, "rejected": 1, "result": result}
    assert ended.err.splitlines() == [
        "scans.csv: CSV, utf-8, separator semicolon; 2 rows of events",
        f"line 3: {ERROR}",
        f"error: 1 of 2 rows were rejected: see {result}",
    ]
    assert ended.code == 1
    [asked] = waybill.asked
    assert (asked.path, asked.headers["Prefer"]) == ("/events/batch", "handling=lenient")


def test_a_file_that_is_done_ends_well(waybill: StandIn, run: Run, tmp_path: Path) -> None:
    waybill.responses.append(batch(*queued(0, 1)))
    assert run("import", str(scans(tmp_path)), *ZONE, "--output", str(tmp_path / "done.csv")).code == 0
    assert [outcome for outcome, *_ in outcomes(tmp_path, "done.csv")] == ["queued", "queued"]


def test_each_event_of_a_batch_that_is_rejected_as_a_whole_has_its_problem(
    waybill: StandIn, run: Run, tmp_path: Path
) -> None:
    for index in (1, 0):
        waybill.responses.append(
            refusal(400, "VALIDATION_ERROR", "validation failed", details=rejected(index)["details"])
        )
    assert run("import", str(scans(tmp_path)), *ZONE).code == 1
    assert outcomes(tmp_path) == [("rejected", "", ERROR)] * 2


def test_what_became_of_the_events_is_in_the_result_after_waiting(
    waybill: StandIn, run: Run, tmp_path: Path
) -> None:
    event: dict[str, Any] = {"location": None, "notes": None, "tracking_number": NUMBER, "client_id": "c"}
    event |= {"status": "picked_up", "timestamp": "2026-11-02T14:00:00Z", "source": "gate-1", "attempts": 1}
    event |= {"duplicates": 0, "conflicts": 0, "partition": 0, "offset": 1, "submitted_by": "ana"}
    event |= dict.fromkeys(("received_at", "recorded_at"), "2026-11-02T14:00:01Z")
    bodies = {
        "evt_0": [(404, {"error": "EVENT_NOT_FOUND"}), (200, event | {"outcome": "applied", "reason": None})],
        "evt_1": [(200, event | {"outcome": "rejected", "reason": "INVALID_TRANSITION"} | STATUS)],
    }

    def respond(asked: Asked) -> tuple[int, Json | bytes]:
        if asked.path.endswith("/auth/login"):
            return 200, {"token": "t", "expires_in": 86_400, "token_type": "Bearer"}
        if asked.path == "/events/batch":
            return batch(*queued(0, 1))
        name = asked.path.rpartition("/")[2]
        status, body = bodies[name].pop(0)
        return status, body | {"event_id": name}

    waybill.respond = respond  # type: ignore[method-assign]
    assert run("import", str(scans(tmp_path)), *ZONE, "--wait", "30").code == 1
    assert outcomes(tmp_path) == [
        ("applied", "evt_0", ""),
        ("rejected", "evt_1", '"INVALID_TRANSITION', ' the status is delivered"'),
    ]


STATUS: Json = {"current_status": "delivered", "may_follow": []}


def test_an_outage_ends_it_with_a_result_file_and_importing_again_goes_on(
    waybill: StandIn, run: Run, tmp_path: Path
) -> None:
    file = scans(tmp_path, 1001)
    waybill.responses += [batch(*queued(*range(500))), refusal(503, "SERVICE_UNAVAILABLE", "starting")]
    ended = run("import", str(file), *ZONE)
    assert ended.code == 3
    assert (
        f"500 of 1001 rows are done, see {tmp_path}/scans.result.csv; to go on, import {file} again"
        in ended.err
    )
    found = [outcome for outcome, *_ in outcomes(tmp_path)]
    assert found == ["queued"] * 500 + ["unknown"] * 500 + ["not sent"]

    waybill.responses += [batch(*queued(*range(500)))] * 2 + [batch(*queued(0))]
    assert run("import", str(tmp_path / "scans.result.csv"), *ZONE, "--output", str(file)).code == 0
    assert {outcome for outcome, *_ in outcomes(tmp_path, "scans.csv")} == {"queued"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_result_file(
    waybill: StandIn, run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    waybill.responses += [batch(*queued(*range(500))), batch(*queued(*range(500)))]
    respond = waybill.respond

    def respond_or_signal(asked: Asked) -> tuple[int, Json | bytes]:
        answer = respond(asked)
        if len(waybill.asked) == 2:
            os.kill(os.getpid(), number)
        return answer

    waybill.respond = respond_or_signal  # type: ignore[method-assign]
    ended = run("import", str(scans(tmp_path, 1001)), *ZONE)
    assert (ended.code, "error: interrupted; " in ended.err) == (130, True)
    found = [outcome for outcome, *_ in outcomes(tmp_path)]
    assert (found[:500], found[-1]) == (["queued"] * 500, "not sent")
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == [
        "scans.csv",
        "scans.result.csv",
    ]


def test_a_signal_while_the_result_is_written_does_not_lose_it(
    waybill: StandIn, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scans(tmp_path)
    file.chmod(0o640)
    written = ResultFile.with_results

    def written_meanwhile(self: ResultFile, results: Sequence[RowResult]) -> bytes:
        os.kill(os.getpid(), signal.SIGINT)
        return written(self, results)

    monkeypatch.setattr(ResultFile, "with_results", written_meanwhile)
    waybill.responses.append(batch(*queued(0, 1)))
    assert run("import", str(file), *ZONE).code == 0
    assert [outcome for outcome, *_ in outcomes(tmp_path)] == ["queued", "queued"]
    assert (tmp_path / "scans.result.csv").stat().st_mode == file.stat().st_mode


def test_a_dry_run_sends_and_writes_nothing(waybill: StandIn, run: Run, tmp_path: Path) -> None:
    ended = run("import", str(scans(tmp_path)), *ZONE, "--dry-run", "--json")
    assert (ended.code, ended.json) == (0, {"kind": "events", "rows": 2, "not sent": 2})
    assert (waybill.asked, list(tmp_path.glob("*.csv"))) == ([], [tmp_path / "scans.csv"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("nowhere.csv",), "cannot read nowhere.csv: No such file or directory"),
        (("scans.csv",), "scans.csv: line 2: timestamp '2026-11-02 08:00:00' has no offset"),
        (("scans.csv", "--zone", "Mars"), "scans.csv: there is no time zone 'Mars'"),
        (("scans.csv", *ZONE, "--layout", "nowhere.toml"), "cannot read nowhere.toml"),
        (("scans.csv", *ZONE, "--output", "nowhere/x.csv"), "cannot write nowhere/x.csv"),
        (("scans.csv", *ZONE, "--output", "scans.csv"), "scans.csv is the file that is imported"),
    ],
)
def test_what_cannot_be_imported_says_why_and_nothing_is_sent(
    waybill: StandIn,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    scans(tmp_path)
    monkeypatch.chdir(tmp_path)
    ended = run("import", *arguments)
    assert (ended.code, problem in ended.err) == (2, True), ended.err
    assert waybill.asked == []
