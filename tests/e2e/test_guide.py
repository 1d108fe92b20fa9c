"""Each task of docs/api.md works as printed: with curl, in Python, and with the command."""

import json

import pytest

from tests.support.guide import FORMS, run_python, run_shell, tasks
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
# The same in Python.
PRINTED = {
    "Before the first call": [],
    "Register a shipment": ["created"],
    "Report from a scanner that was offline": [
        "2 queued, 1 rejected: ",
        "held until 20",
        "in_warehouse",
    ],
    "Report what happens between two statuses": ["arrived_at_hub"],
    "Follow a shipment": ["applied in_transit", "99M-", "5 in_transit"],
    "Show a recipient where the parcel is": ["'created'", "http", "client_user_001"],
    "Be told of changes": ["", "active", "[]"],
    "Find out why an event was rejected": [
        "INVALID_TRANSITION",
        "INVALID_TRANSITION in_transit",
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


@pytest.mark.parametrize("expected", [CALLED, PRINTED], ids=["curl", "python"])
def test_every_task_is_run(expected: dict[str, list[str]]) -> None:
    assert set(expected) == set(tasks())


@pytest.mark.parametrize("title", tasks())
def test_each_task_is_shown_in_every_form(title: str) -> None:
    shown = [form for form, _ in tasks()[title]]
    assert sorted(set(shown), key=FORMS.index) == list(dict.fromkeys(shown)), "in this order"
    assert {"curl", "python"} <= set(shown)


def unseen(shown: dict[str, str], expected: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the texts that are not in the line where they are expected, by section."""
    found = {
        title: [text for text, line in zip(texts, shown[title].splitlines(), strict=True) if text not in line]
        for title, texts in expected.items()
    }
    return {title: texts for title, texts in found.items() if texts}


def test_calls_work_in_the_order_they_are_printed(
    stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shown = run_shell("curl", stack, tmp_path_factory.mktemp("guide"))

    last = list(CALLED)[-1]
    answers = shown[last].splitlines(keepends=True)
    shown[last], operated = "".join(answers[: len(CALLED[last])]), "".join(answers[len(CALLED[last]) :])
    assert unseen(shown, CALLED) == {}, shown
    lines = [line for title in CALLED for line in shown[title].splitlines()]
    assert all(json.loads(line) for line in lines), "each answer is JSON, and ends its line"
    assert [text for text in OPERATED if text not in operated] == [], operated


def test_python_does_the_same(stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory) -> None:
    shown = run_python(stack, tmp_path_factory.mktemp("guide"))

    assert unseen(shown, PRINTED) == {}, shown
