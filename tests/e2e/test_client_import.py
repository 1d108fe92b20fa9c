"""Files of events and shipments are imported into a running stack: nothing is lost, and nothing twice."""

import csv
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from tests.support.api import PASSWORD
from tests.support.stack import StackAddresses
from waybill import Waybill
from waybill.importing import FileImport, Outcome, read_layout

pytestmark = pytest.mark.stack

PLACE = {
    "origin_address": "Calle 7, Puebla",
    "origin_lat": 19.04,
    "origin_lng": -98.2,
    "destination_address": "Calle 9, Oaxaca",
    "destination_lat": 17.07,
    "destination_lng": -96.72,
    "weight_kg": 1,
}
ZONE = read_layout("", zone="America/Mexico_City")


@pytest.fixture
def admin(stack: StackAddresses) -> Iterator[Waybill]:
    with Waybill(stack.gateway_url, username="admin_user", password=PASSWORD) as client:
        yield client


@pytest.fixture
def owner(stack: StackAddresses) -> Iterator[Waybill]:
    with Waybill(stack.gateway_url, username="client_user_001", password=PASSWORD) as client:
        yield client


def created(owner: Waybill) -> str:
    return owner.shipments.create(**PLACE).tracking_number  # type: ignore[arg-type]  # a dictionary


def sent(client: Waybill, content: bytes) -> FileImport:
    imported = FileImport.read(content, ZONE)
    for _ in imported.send(client):
        pass
    return imported


def steps(client: Waybill, number: str) -> list[tuple[str, str]]:
    """Return the history of a shipment after its creation."""
    history = client.shipments.get(number).status_history[1:]
    return [(each.checkpoint or str(each.status), each.timestamp.isoformat()) for each in history]


def started(stack: StackAddresses, user: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start an import in another process."""
    environment = os.environ | {
        "WAYBILL_URL": stack.gateway_url,
        "WAYBILL_USER": user,
        "WAYBILL_PASSWORD": PASSWORD,
        "XDG_CONFIG_HOME": str(folder),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "waybill.cli", "import", *arguments],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def test_a_workbook_with_the_newest_first_is_applied_in_order_and_once(
    stack: StackAddresses, owner: Waybill, tmp_path: Path
) -> None:
    number = created(owner)
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (
        ["Salidas de hoy"],
        ["Tracking number", "Status", "Timestamp"],
        [number, "Delivered", datetime(2026, 11, 3, 11, 30)],  # noqa: DTZ001  # a sheet has no zones
        [number, "out_for_delivery", datetime(2026, 11, 3)],  # noqa: DTZ001
        [number, "In transit", datetime(2026, 11, 2, 10)],  # noqa: DTZ001
        [number, "In warehouse", datetime(2026, 11, 2, 9)],  # noqa: DTZ001
        [number, "Picked up", datetime(2026, 11, 2, 8)],  # noqa: DTZ001
        [number, "Picked up", datetime(2026, 11, 3, 12)],  # noqa: DTZ001
    ):
        book.active.append(row)
    book.save(tmp_path / "salidas.xlsx")
    given = ("salidas.xlsx", "--zone", "America/Mexico_City", "--source", "dock-1", "--wait", "30")
    for _ in range(2):
        process = started(stack, "driver_user_001", tmp_path, *given)
        error = "error: 2 of 6 rows were rejected: see salidas.result.xlsx\n"
        assert (process.communicate()[1].endswith(error), process.returncode) == (True, 1)
        lines = list(openpyxl.load_workbook(tmp_path / "salidas.result.xlsx").worksheets[0].values)
        assert [line[3] for line in lines[2:]] == ["applied", "rejected", *["applied"] * 3, "rejected"]
        assert "status must be one of" in str(lines[3][5])
        assert str(lines[7][5]).startswith("INVALID_TRANSITION; the status is delivered")
        assert [step for step, _ in steps(owner, number)] == [
            "picked_up",
            "in_warehouse",
            "in_transit",
            "delivered",
        ]
    assert steps(owner, number)[-1][1] == "2026-11-03T17:30:00+00:00"


def test_an_import_that_was_cut_off_is_completed_by_importing_again(owner: Waybill, admin: Waybill) -> None:
    numbers = [created(owner) for _ in range(6)]
    rows = ["tracking_number,status,checkpoint,timestamp,source"]
    for second in range(200):
        what = ",arrived_at_hub" if second else "picked_up,"
        rows += [
            f"{number},{what},2026-11-02 08:{second // 60:02}:{second % 60:02},hub" for number in numbers
        ]
    content = "\n".join(rows).encode()
    cut = FileImport.read(content, ZONE)
    next(cut.send(admin))
    assert cut.counts == {Outcome.QUEUED: 500, Outcome.NOT_SENT: 700}
    again = sent(admin, cut.result())
    assert again.counts == {Outcome.QUEUED: 1200}
    for _ in again.follow(admin, 60):
        pass
    assert again.counts == {Outcome.APPLIED: 1200}
    for number in numbers:
        assert admin.shipments.get(number).version == 201


def test_each_row_has_its_own_problem_when_none_is_valid(admin: Waybill) -> None:
    rows = [f"99M-{at},picked_up,2026-11-02 08:00,hub" for at in range(230)]
    imported = sent(admin, "\n".join(["tracking_number,status,timestamp,source", *rows]).encode())
    assert imported.counts == {Outcome.REJECTED: 230}
    assert {result.error.split()[0] for result in imported.results} == {"tracking_number"}


def test_shipments_are_registered_once_however_often_their_file_is_imported(owner: Waybill) -> None:
    order = f"order-{os.urandom(6).hex()}"
    written = io.StringIO()
    table = csv.writer(written, delimiter=";")
    table.writerow(["reference", *PLACE, "estimated_delivery.earliest", "estimated_delivery.latest"])
    for reference, weight in ((order, "2,5"), (order, "0,75"), (f"{order}-b", "x"), (f"{order}-c", "-1")):
        values = [*list(PLACE.values())[:-1], weight]
        table.writerow([reference, *values, "2026-11-05 09:00", "2026-11-05 18:00"])
    content = written.getvalue().encode("cp1252")

    first = sent(owner, content)
    assert [result.outcome for result in first.results] == ["created", "created", "rejected", "rejected"]
    assert first.results[2].error == "weight_kg is no number"
    assert first.results[3].error.startswith("weight_kg ")
    second = sent(owner, first.result())
    assert second.results == first.results
    found = list(owner.shipments.list(reference=order))
    assert {each.tracking_number for each in found} == {result.id for result in first.results[:2]}
    assert Counter(each.package.weight_kg for each in found) == {2.5: 1, 0.75: 1}
    assert str(found[0].estimated_delivery).count("2026") == 2

    other = sent(owner, content.replace(b"2,5", b"3,5"))
    assert "was imported before with other content" in other.results[0].error
    assert other.results[1] == first.results[1]


def test_an_import_that_was_killed_registers_each_shipment_once(
    stack: StackAddresses, admin: Waybill, new_client_id: str, tmp_path: Path
) -> None:
    names = ["reference", "client_id", *PLACE]
    references = [f"{new_client_id}-{at}" for at in range(300)]
    rows = [[reference, new_client_id, *PLACE.values()] for reference in references]
    with (tmp_path / "orders.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    counts = []
    for kill_at in (1, 150, None):
        process = started(stack, "admin_user", tmp_path, "orders.csv")
        while kill_at is not None and process.poll() is None and created_of(admin, new_client_id) < kill_at:
            pass
        if kill_at is not None:
            process.kill()
        error = process.communicate()[1]
        counts.append(created_of(admin, new_client_id))
    assert (process.returncode, error) == (
        0,
        "orders.csv: CSV, utf-8, separator comma; 300 rows of shipments\n",
    )
    assert counts[0] < counts[1] < counts[2] == 300
    found = [each.reference for each in admin.shipments.list(client_id=new_client_id, limit=100)]
    assert sorted(map(str, found)) == sorted(references)
    assert [each.name for each in tmp_path.glob("*.csv")].count("orders.result.csv") == 1


def created_of(admin: Waybill, client_id: str) -> int:
    page = next(admin.shipments.list(client_id=client_id, limit=1).pages())
    return page.pagination.total
