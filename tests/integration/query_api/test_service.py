"""The query API as a process, on the real stores."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest

from domain.shipments.status import Status
from messaging.settings import KafkaSettings
from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.settings import RedisSettings
from tests.support.builders import NUMBER, RECORDED_AT, consumed_all, creation, ends_at, plan_for, report

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture
async def service(
    mongo_uri: str,
    database: Database,
    redis_settings: RedisSettings,
    kafka: KafkaSettings,
    unused_tcp_port: int,
) -> AsyncIterator[str]:
    """Start the service on a database of its own; it must end well on SIGTERM."""
    settings = {
        "ENV": "development",
        "PORT": str(unused_tcp_port),
        "JWT_SECRET": "4f1d0c7b9a8e6352" * 2,
        "MONGO_URI": mongo_uri,
        "MONGO_DB": database.name,
        "REDIS_ADDR": redis_settings.address,
        "KAFKA_BROKERS": kafka.brokers,
        "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "KAFKA_PARTITIONS": str(kafka.partitions),
        "BCRYPT_COST": "10",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "query_api", env=os.environ | settings, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if b"listening" in line:
            break
    yield f"http://127.0.0.1:{unused_tcp_port}"
    process.send_signal(signal.SIGTERM)
    rest, _ = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0, rest


async def test_a_user_logs_in_and_reads(service: str, database: Database) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(consumed_all(creation(), report(Status.PICKED_UP)))
    await store.commit([(fence, plan)], recorded_at=RECORDED_AT)
    async with aiohttp.ClientSession(service) as session:
        body = {"username": "client_user_001", "password": "password123"}
        async with session.post("/auth/login", json=body) as response:
            session.headers["Authorization"] = f"Bearer {(await response.json())['token']}"
        async with session.get(f"/shipments/{NUMBER}") as response:
            assert (response.status, (await response.json())["current_status"]) == (200, "picked_up")
        async with session.get("/shipments?status=picked_up") as response:
            assert (await response.json())["pagination"]["total"] == 1
        async with session.get(f"/events/{report(Status.PICKED_UP).event_id}") as response:
            assert (await response.json())["outcome"] == "applied"
        async with session.get("/auth/users") as response:
            assert response.status == 403


async def test_health_reports_all_stores_ok(service: str) -> None:
    async with aiohttp.ClientSession(service) as session, session.get("/health") as response:
        expected = {"database": "ok", "cache": "ok", "event_queue": "ok"}
        assert (response.status, (await response.json())["checks"]) == (200, expected)
