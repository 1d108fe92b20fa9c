"""Ctrl-C during work: the whole stack stops cleanly, and continues where it was."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from messaging.settings import KafkaSettings
from messaging.topics import Topics
from storage.mongo.database import open_database
from storage.settings import MongoSettings
from tests.e2e.tokens import signed
from tests.faults.matrix import Row
from tests.support.builders import creation, number
from tests.support.fault_table import Recovery
from tests.support.flood import Flood
from tests.support.history import observe, violations
from tests.support.ports import unused_port
from tests.support.stack import start_stack
from tests.support.topics import is_caught_up, write_commands
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.timeout(400),
    pytest.mark.fault(Row.INGEST_STOPPED, Row.PROCESSOR_STOPPED),
]

SHIPMENTS = [creation(number(index)) for index in range(50)]
LANES = 5


async def test_a_stack_stopped_under_load_stops_cleanly_and_loses_nothing(
    tmp_path: Path, recovery: Recovery
) -> None:
    env, port = {**os.environ, "ENV": "development"}, unused_port()
    stack = start_stack(tmp_path, env=env, port=port)
    try:
        kafka = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
        await write_commands(kafka, Topics().events, *SHIPMENTS)
        token = signed(stack.jwt_secret, sub="driver_user_001", role="producer")
        flood = Flood(stack.gateway_url, token, [each.tracking_number for each in SHIPMENTS])
        async with flood.running(lanes=LANES, batch=50, every_s=0.3):
            await flood.accepted_more(LANES)
            started = time.monotonic()
            stack.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(stack.process.wait, 60) == 0
            recovery.took(time.monotonic() - started)
            stack = start_stack(tmp_path, env=env, port=port)
            await flood.accepted_more(LANES)
        await wait_for(
            lambda: is_caught_up(kafka, "waybill-processor", Topics().events), timeout_s=60, what="all of it"
        )
        notes = stack.home.logs / "supervisor.log"  # nothing to note: no file
        assert "did not end by itself" not in (notes.read_text() if notes.exists() else "")
        settings = MongoSettings(MONGO_URI=stack.mongo_uri)  # type: ignore[call-arg]
        async with open_database(settings) as database:
            assert violations(await observe(kafka, database), flood.sent(SHIPMENTS)) == []
    finally:
        await asyncio.to_thread(stack.stop)
