"""Each command of docs/api.md works as printed, with the responses that the page shows."""

import json

import pytest

from tests.support.printed_calls import ROOT, all_commands, run_calls
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

SECTIONS = all_commands((ROOT / "docs/api.md").read_text())
# What stands in each line that a section prints, in order; a JSON answer is one line.
EXPECTED = {
    "Before the first call": [],
    "Register a shipment": [
        '"status":"created","created_at":"',
        '"client_id":"client_001"',
    ],
    "Report from a scanner that was offline": [
        '"received":3,"queued":2',
        '"status":"created"',
        '"held_until":"',
        '"status":"applied"',
        '"current_status":"in_warehouse"',
    ],
    "Report what happens between two statuses": [
        '"status":"applied"',
        '"last_checkpoint":{"checkpoint":"arrived_at_hub"',
    ],
    "Follow a shipment": [
        '"status":"applied"',
        '"current_status":"in_transit"',
        "304",
        '"next_cursor":',
        '"current_status":"in_transit"',
        '"reference":"order 4711"',
        '"version":5,"current_status":"in_transit"',
    ],
    "Show a recipient where the parcel is": [
        '"current_status":"in_transit","steps":[{"status":"created"',
        '"url":"http',
        '"created_by":"client_user_001"',
    ],
    "Be told of changes": [
        '"secret":"whsec_',
        '"state":"active"',
        '"data":[]',
    ],
    "Find out why an event was rejected": [
        '"error":"INVALID_TRANSITION"',
        '"pagination":{"total":1',
        '"outcome":"rejected","reason":"INVALID_TRANSITION"',
    ],
    "Take back what was scanned by mistake": [
        '"status":"applied"',
        '"message":"Event retracted"',
        '"outcome":"rejected","reason":"RETRACTED"',
        '"retraction":{"event_id":"evt_',
    ],
    "Correct or cancel a shipment": [
        '"status":"created","version":4',
        '"error":"PRECONDITION_FAILED"',
        '"status":"cancelled","version":5',
    ],
    "Bind a producer to its sources": [
        '"allowed_sources":["dock-"]',
        '"allowed_sources":["dock-","scanner-mx-"]',
    ],
    "Rotate a key or a password": [
        '"role":"producer"',
        '"token_type":"Bearer"',
        '"disabled":false',
        '"disabled":true',
    ],
    "Clear dead letters away": [
        '"reason":"its label was read from another parcel"',
        '"status":"queued"',
        '"outcome":"dead"',
        '"reason":"quarantined"',
        '"status":"queued","event_id":"evt_',
        '"outcome":"applied"',
        '{"id":"dl_0_999999","status":"not_found"}',
        '"state":"discarded"',
        '"action":"dead_letter.discarded"',
    ],
}
OPERATED = ["discarded", "quarantined", "delivered meanwhile", "dead_letter.discarded"]


def test_every_section_with_commands_is_run() -> None:
    assert set(EXPECTED) == set(SECTIONS)


def test_the_commands_work_in_the_order_they_are_printed(
    stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    marked = [f"echo '## {title}'\n{script}" for title, script in SECTIONS.items()]
    marked[-1] = marked[-1].replace("export WAYBILL_URL", "echo '## make ops'\nexport WAYBILL_URL", 1)

    printed = run_calls("\n".join(marked), stack, tmp_path_factory.mktemp("guide"))

    shown = dict(part.partition("\n")[::2] for part in printed.removeprefix("## ").split("\n## "))
    operated = shown.pop("make ops")
    for title, expected in EXPECTED.items():
        lines = shown[title].splitlines()
        assert [text for text, line in zip(expected, lines, strict=True) if text not in line] == [], shown[
            title
        ]
        assert all(json.loads(line) for line in lines), "each answer is JSON, and ends its line"
    assert [text for text in OPERATED if text not in operated] == [], operated
