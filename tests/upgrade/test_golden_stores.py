"""What the last release left in MongoDB and Redis: the present code reads it, and leaves the same."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from domain.access.permissions import Principal, Role
from httpkit.settings import HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from query_api.app import build_app
from query_api.settings import LoginSettings, PasswordSettings, ReadingMongoSettings, Settings
from servicekit.clock import SystemClock
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.accounts.revocations import RedisRevocationFeed
from storage.mongo.database import Database
from storage.mongo.operations.shipment_links import MongoLinkStore
from storage.mongo.schema import REVOKED_TOKENS, SHIPMENTS, STATUS_EVENTS, WEBHOOK_ENDPOINTS
from storage.mongo.schema.migrations import SCHEMA_MIGRATIONS
from storage.redis.duplicate_filter import RedisDuplicateFilter
from storage.redis.login_lockout import RedisLoginGuard
from storage.redis.replies import RedisReplies, RedisReplyInbox
from storage.settings import RedisSettings
from tests.integration.processor.conftest import site
from tests.integration.webhooks.managing import managing
from tests.support.fakes.clock import FixedClock
from tests.support.site import Site, processing
from tests.support.waiting import wait_until
from tests.unit.query_api.conftest import AUTH, Api
from tests.upgrade.golden import bytes_of, golden, golden_documents
from tests.upgrade.golden_day import GUESSED
from webhooks.sealing import SecretSealer

__all__ = ["site"]

pytestmark = pytest.mark.stack

ADMIN: Final = Principal("admin_user", Role.ADMIN)
FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)
OF_THE_MOMENT: Final = frozenset({"recorded_at", "updated_at"})


@pytest.fixture
def partitions() -> int:
    return 12


@pytest.fixture
async def database(spare_database: Database) -> Database:
    return spare_database


@pytest.fixture
async def stored(database: Database) -> Database:
    """Give a database with the schema of the present and the documents of the last release."""
    for name, documents in golden_documents().items():
        if name != SCHEMA_MIGRATIONS and documents:
            await database[name].insert_many([unexpired(each) for each in documents])
    return database


def unexpired(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document that MongoDB does not delete during a test."""
    later = {"expires_at": FAR} if isinstance(document.get("expires_at"), datetime) else {}
    return {**document, **later}


@pytest.fixture
async def api(stored: Database, mongo_uri: str, redis_settings: RedisSettings) -> AsyncIterator[Api]:
    settings = Settings(
        service=ServiceSettings(env=Environment.PRODUCTION),
        http=HttpSettings(port=0),
        auth=AUTH,
        passwords=PasswordSettings(bcrypt_cost=10),
        logins=LoginSettings(),
        limits=LimitSettings(),
        mongo=ReadingMongoSettings(MONGO_URI=mongo_uri, MONGO_DB=stored.name),  # type: ignore[call-arg]
        redis=redis_settings,
        kafka=KafkaSettings(),
    )
    async with TestClient(TestServer(build_app(settings))) as client:
        yield Api(client)


def differences(golden_value: object, present: object, at: str = "") -> Iterator[str]:
    """Yield where a present value lacks what the golden one has; members may have been added."""
    if isinstance(golden_value, dict) and isinstance(present, dict):
        for name, value in golden_value.items():
            yield from differences(value, present.get(name), f"{at}.{name}")
    elif isinstance(golden_value, list) and isinstance(present, list) and len(golden_value) == len(present):
        for index, pair in enumerate(zip(golden_value, present, strict=True)):
            yield from differences(*pair, f"{at}[{index}]")
    elif golden_value != present:
        yield f"{at} is {present!r}, not {golden_value!r}"


def responses(*, of_webhooks: bool) -> list[dict[str, Any]]:
    found = [each for each in golden("responses") if each["path"].startswith("/webhooks") == of_webhooks]
    assert len(found) > 8
    assert any("&cursor=" in each["path"] for each in found)
    return found


async def test_query_api_responds_as_the_last_release_did_also_to_its_cursors(api: Api) -> None:
    for each in responses(of_webhooks=False):
        response = await api.ask("GET", each["path"], who=ADMIN)
        assert response.status == each["status"], each["path"]
        assert list(differences(each["body"], await response.json(), each["path"])) == []


async def test_webhooks_respond_as_the_last_release_did_also_to_its_cursors(stored: Database) -> None:
    async with managing(stored) as management:
        for each in responses(of_webhooks=True):
            answer = await management.ask("GET", each["path"], who=ADMIN)
            assert answer.status == each["status"], each["path"]
            assert list(differences(each["body"], answer.body, each["path"])) == []


async def test_an_api_key_and_links_are_still_accepted(api: Api, stored: Database) -> None:
    shown = golden("secrets")["shown"]
    exchanged = await api.ask("POST", "/auth/token", {"api_key": shown["api_key"]}, who=None)
    assert exchanged.status == 200
    links = MongoLinkStore(stored)
    for name in ("delivered", "holding"):
        opened = await links.find_opened(shown[f"link of {name}"], datetime.now(UTC))
        assert opened is not None
        assert opened.tracking_number == golden("secrets")["numbers"][name]


def test_secrets_of_endpoints_are_decrypted() -> None:
    sealer = SecretSealer([golden("secrets")["webhooks_keys"]])
    endpoints = golden_documents()[WEBHOOK_ENDPOINTS]
    opened = {sealer.open(each["sealed"]) for endpoint in endpoints for each in endpoint["secrets"]}
    shown = golden("secrets")["shown"]
    assert opened == {shown[name] for name in ("/full", "/thin", "/failing", "rotated")}


async def test_the_log_of_the_last_release_becomes_the_documents_that_it_made(site: Site) -> None:
    await write_log(site.kafka)
    async with processing(site):
        await site.finished()
    quarantined = golden("secrets")["numbers"]["quarantined"]
    for collection in (SHIPMENTS, STATUS_EVENTS):
        made = {each["_id"]: each async for each in site.database[collection].find()}
        expected = [each for each in golden_documents()[collection] if quarantined not in each["_id"]]
        assert len(expected) > 4
        for document in expected:
            found = differences(lasting(document), lasting(made.get(document["_id"])), document["_id"])
            assert list(found) == []


async def write_log(kafka: KafkaSettings) -> None:
    """Write the records of the golden log, each at its place."""
    async with AIOKafkaProducer(**kafka.connection(), enable_idempotence=True) as producer:
        for each in golden("log")[Topics().events]:
            written = await producer.send_and_wait(
                Topics(kafka.topic_prefix).events,
                key=bytes_of(each["key"]),
                value=bytes_of(each["value"]),
                headers=[(name, bytes_of(text)) for name, text in each["headers"]],
                partition=each["partition"],
            )
            assert written.offset == each["offset"]


def lasting(value: object) -> object:
    """Return a value without the instants at which it was written."""
    if isinstance(value, dict):
        return {name: lasting(each) for name, each in value.items() if name not in OF_THE_MOMENT}
    return [lasting(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
async def kept(redis_client: Redis) -> Redis:
    """Give a Redis with the keys that the last release left."""
    for key, value in golden("redis").items():
        if isinstance(value, str):
            await redis_client.set(key, value)
        elif isinstance(value, list):
            await redis_client.sadd(key, *value)
        else:
            await redis_client.zadd(key, value)
    return redis_client


async def test_duplicates_that_the_last_release_has_marked_are_known(kept: Redis) -> None:
    marked = {key: members for key, members in golden("redis").items() if key.startswith("dedup:")}
    assert sum(map(len, marked.values())) > 10
    for key, members in marked.items():
        _, partition, hour = key.split(":")
        clock = FixedClock(datetime.fromtimestamp(int(hour) * 3600, UTC))
        seen = await RedisDuplicateFilter(kept, clock).seen({partition: [*members, "another"]})
        assert seen == {partition: [*(True for _ in members), False]}


async def test_failed_logins_that_the_last_release_has_counted_still_count(kept: Redis) -> None:
    """Five lock for a second; one more, counted by this release, locks for longer."""
    guard = RedisLoginGuard(kept, LoginSettings().policies())
    await guard.failed(GUESSED, "127.0.0.1")
    assert 1.0 < await guard.wait_s(GUESSED, "127.0.0.1") <= 2.0


async def test_tokens_that_the_last_release_has_revoked_stay_revoked(kept: Redis) -> None:
    ended = {each["_id"] for each in golden_documents()[REVOKED_TOKENS]}
    assert ended
    feed = RedisRevocationFeed(kept, SystemClock(), retention_s=1e9)
    news = await feed.news()
    assert news.whole_at is not None
    assert {each.name for each in news.revocations} == ended


async def test_replies_of_the_last_release_are_read_and_would_be_the_same(redis_client: Redis) -> None:
    replies = [each for each in golden("replies") if re.fullmatch(r"answers:[^#]+", each["channel"])]
    assert len(replies) > 5
    inbox = RedisReplyInbox(redis_client, "present")
    async with inbox.listening():
        await wait_until(lambda: inbox.is_open, what="the subscription")
        for each in replies:
            [said] = json.loads(each["data"]).values()
            with inbox.expect() as (address, future):
                channel, _, number = address.rpartition("#")
                await redis_client.publish(channel, json.dumps({number: said}))
                reply = await future
            assert reply.event_id == said["event_id"]
            assert await sent(redis_client, address, reply) == {number: said}


async def sent(redis: Redis, address: str, reply: Any) -> object:  # noqa: ANN401  # of the port
    """Return what the present processor sends to an address."""
    async with redis.pubsub() as subscription:
        await subscription.subscribe(address.rpartition("#")[0])
        await subscription.get_message(timeout=5)
        await RedisReplies(redis).send({address: reply})
        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5)
        assert message is not None
        return json.loads(message["data"])
