"""Each call of docs/api.md works as printed."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from messaging.topics import Topics
from tests.support.api import Api, eventually
from tests.support.printed_calls import ROOT, run_calls, sections
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

SECTIONS = sections((ROOT / "docs/api.md").read_text())
EXPECTED = {
    "Before the first call": [],
    "Register a shipment": ['"status":"created"', '"client_id":"client_001"'],
    "Report from a scanner that was offline": ['"queued":2', '"rejected":1', "/events/2/status"],
    "Follow a shipment": ['"current_status":"', "304", '"next_cursor"'],
    "Find out why an event was rejected": ['"outcome":"rejected"', '"reason":"INVALID_TRANSITION"'],
    "Correct or cancel a shipment": ['"status":"created","version":2', '"status":"cancelled","version":3'],
    "Rotate a key or a password": ['"role":"producer"', '"token_type":"Bearer"'],
    "Clear dead letters away": [
        '"reason":"unreadable"',
        '{"id":"dl_',
        '"status":"queued"',
        '"queued":1',
        '{"id":"dl_0_999999","status":"not_found"}',
        '"state":"discarded"',
        '"action":"dead_letter.discarded"',
    ],
}


@pytest.fixture
async def dead_letter(stack: StackAddresses, admin: Api) -> None:
    """Put something into the log that nobody can read."""
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_brokers) as producer:
        await producer.send_and_wait(Topics().events, b"no event", key=b"99M-GMPWC6W7SP2G")

    async def listed() -> bool | None:
        return bool((await admin.get("/dead-letters")).body["data"]) or None

    await eventually(listed)


def test_every_section_with_calls_is_tried() -> None:
    assert set(EXPECTED) == set(SECTIONS)


@pytest.mark.usefixtures("dead_letter")
def test_the_calls_work_in_the_order_they_are_printed(stack: StackAddresses, tmp_path: Path) -> None:
    marked = [f"echo; echo '## {title}'\n{script}" for title, script in SECTIONS.items()]

    printed = run_calls("\n".join(marked), stack, tmp_path)

    answers = dict(part.partition("\n")[::2] for part in printed.split("\n## ")[1:])
    for title, expected in EXPECTED.items():
        assert [text for text in expected if text not in answers[title]] == [], (title, answers[title])
