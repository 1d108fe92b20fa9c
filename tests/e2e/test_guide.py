"""Each task of docs/api.md works as printed: with curl, in Python, and with the command."""

import json
import re
from itertools import zip_longest

import pytest

from tests.support.guide import FORMS, run_commands, run_curl, run_python, tasks
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

# What stands in each line that a section prints with curl, in order; a JSON answer is one line.
CALLED = {
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
        "the shipment is in_transit; delivered may follow",
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
# What stands in each line that it prints in Python.
PRINTED = {
    "Before the first call": [],
    "Register a shipment": ["created"],
    "Report from a scanner that was offline": [
        "2 queued",
        "scan 2 is rejected: must be one of",
        "held until 20",
        "in_warehouse",
        "1 sent 0 refused",
    ],
    "Report what happens between two statuses": ["arrived_at_hub"],
    "Follow a shipment": ["applied in_transit", "99M-", "['99M-", "5 in_transit"],
    "Show a recipient where the parcel is": ["'created'", "http", "client_user_001"],
    "Be told of changes": ["whsec_", "active", "[]"],
    "Find out why an event was rejected": [
        "INVALID_TRANSITION the shipment is in_transit; delivered may follow",
        "INVALID_TRANSITION in_transit ",
        "rejected",
    ],
    "Take back what was scanned by mistake": ["Event retracted", "RETRACTED created"],
    "Correct or cancel a shipment": ["PRECONDITION_FAILED", "cancelled"],
    "Bind a producer to its sources": ["('dock-', 'scanner-mx-')"],
    "Rotate a key or a password": ["Bearer", "True"],
    "Clear dead letters away": [
        "dead",
        "quarantined",
        "applied",
        "'not_found'",
        "discarded",
        "dead_letter.discarded",
    ],
}


# What the commands print, in this order, beside the names of fields and columns.
COMMANDED = {
    "Before the first call": [],
    "Register a shipment": ["Calle 7, Puebla", "99M-", "created"],
    "Report from a scanner that was offline": [
        "line 3: ",
        "exit code 1: in part",
        "exit code 1: held",
        "applied",
        "in_warehouse",
        "in_transit",
        "queued",
    ],
    "Report what happens between two statuses": ["applied", "in_warehouse", "arrived_at_hub"],
    "Follow a shipment": ["applied", "in_transit", "order 4711", "version 5  in_transit"],
    "Show a recipient where the parcel is": ["in_transit", "client_user_001"],
    "Be told of changes": ["https://example.com/waybill", "active"],
    "Find out why an event was rejected": [
        "exit code 1: rejected",
        "INVALID_TRANSITION",
        "in_transit",
        "delivered",
    ],
    "Take back what was scanned by mistake": ["applied", "Event retracted", "RETRACTED"],
    "Correct or cancel a shipment": ["created", "exit code 1: it has another version", "cancelled"],
    "Bind a producer to its sources": ['["dock-"]', '["dock-", "scanner-mx-"]'],
    "Rotate a key or a password": ["scanner-", "producer", "disabled", "true"],
    "Clear dead letters away": [
        "its label was read from another parcel",
        "dead",
        "quarantined",
        "quarantined",
        "applied",
        "discarded",
        "dead_letter.discarded",
        "delivered meanwhile",
    ],
}


@pytest.mark.parametrize("expected", [CALLED, PRINTED, COMMANDED], ids=FORMS)
def test_every_task_is_run(expected: dict[str, list[str]]) -> None:
    assert set(expected) == set(tasks())


@pytest.mark.parametrize("title", tasks())
def test_each_task_is_shown_in_every_form(title: str) -> None:
    assert tuple(dict.fromkeys(form for form, _ in tasks()[title])) == FORMS, "all three, in this order"


def unseen(shown: dict[str, str], expected: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the texts that are not in the line where they are expected, by task; "?" is a line too many."""
    found = {
        title: [
            text
            for text, line in zip_longest(texts, shown[title].splitlines(), fillvalue="?")
            if text not in line
        ]
        for title, texts in expected.items()
    }
    return {title: texts for title, texts in found.items() if texts}


def test_calls_work_in_the_order_they_are_printed(
    stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shown = run_curl(stack, tmp_path_factory.mktemp("guide"))

    assert unseen(shown, CALLED) == {}, shown
    lines = [line for text in shown.values() for line in text.splitlines()]
    assert all(json.loads(line) for line in lines), "each answer is JSON, and ends its line"


def test_python_does_the_same(stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory) -> None:
    shown = run_python(stack, tmp_path_factory.mktemp("guide"))

    assert unseen(shown, PRINTED) == {}, shown


def test_the_command_does_the_same(stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory) -> None:
    shown = run_commands(stack, tmp_path_factory.mktemp("guide"))

    in_order = {title: ".*".join(map(re.escape, texts)) for title, texts in COMMANDED.items()}
    other = {
        title: shown[title] for title in COMMANDED if not re.search(in_order[title], shown[title], re.DOTALL)
    }
    assert other == {}, "\n".join(other.values())
