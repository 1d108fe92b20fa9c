"""`Replies`, `ReplyInbox`: each address gets the reply that it waits for, or none, which is no error."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from redis.asyncio import Redis

from domain.ports.core import Replies, Reply, ReplyInbox
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from tests.support.builders import NOON, creation, number
from tests.support.fakes import InMemoryReplies, InMemoryReplyInbox

DEADLINE_S = 5.0

APPLIED = Reply(
    event_id=creation().event_id,
    outcome="applied",
    reason=None,
    client_id="client_001",
    timestamp=NOON,
    status=Status.CREATED,
    version=1,
)
REJECTED = replace(
    APPLIED,
    event_id=creation(number(2)).event_id,
    outcome="rejected",
    reason=RejectionReason.INVALID_TRANSITION,
    client_id=None,
    status=None,
    version=None,
)


@dataclass(frozen=True, slots=True)
class Post:
    """Both ends: sender and inbox."""

    sender: Replies
    inbox: ReplyInbox

    @contextmanager
    def expect(self) -> Iterator[tuple[str, Callable[[], Awaitable[Reply]]]]:
        """Yield an address, and a function that waits for its reply."""
        with self.inbox.expect() as (address, reply):
            yield address, lambda: asyncio.wait_for(reply, DEADLINE_S)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
def post(request: pytest.FixtureRequest) -> Post:
    chosen: Post = request.getfixturevalue(f"{request.param}_post")
    return chosen


@pytest.fixture
def memory_post() -> Post:
    inbox = InMemoryReplyInbox()
    return Post(inbox.replies, inbox)


@pytest.fixture
async def redis_post(redis_client: Redis) -> AsyncIterator[Post]:
    from storage.redis.replies import RedisReplies, RedisReplyInbox  # noqa: PLC0415  # only with the stack

    inbox = RedisReplyInbox(redis_client, "contract[1]*")
    async with inbox.listening():
        async with asyncio.timeout(DEADLINE_S):
            while not inbox.is_open:  # noqa: ASYNC110  # the inbox says it only when asked
                await asyncio.sleep(0.01)
        yield Post(RedisReplies(redis_client), inbox)


@pytest.fixture(params=["memory", "redis"])
def unheard(request: pytest.FixtureRequest) -> Replies:
    if request.param == "memory":
        return InMemoryReplies()
    from storage.redis.replies import RedisReplies  # noqa: PLC0415  # with its param

    return RedisReplies(request.getfixturevalue("redis_that_is_gone"))


@pytest.mark.parametrize("reply", [APPLIED, REJECTED], ids=["applied", "rejected"])
async def test_a_reply_arrives_as_it_was_sent(post: Post, reply: Reply) -> None:
    with post.expect() as (address, receive):
        await post.sender.send({address: reply})
        assert await receive() == reply


async def test_each_address_gets_its_own_reply(post: Post) -> None:
    with post.expect() as (here, first), post.expect() as (there, second):
        await post.sender.send({there: REJECTED, "elsewhere": APPLIED, here: APPLIED})
        assert (await first(), await second()) == (APPLIED, REJECTED)


async def test_two_callers_of_one_event_may_get_different_replies(post: Post) -> None:
    conflict = replace(APPLIED, reason=RejectionReason.IDEMPOTENCY_CONFLICT)
    with post.expect() as (here, first), post.expect() as (there, second):
        await post.sender.send({here: APPLIED, there: conflict})
        assert (await first(), await second()) == (APPLIED, conflict)


async def test_a_repeated_reply_is_the_same(post: Post) -> None:
    with post.expect() as (address, receive):
        await post.sender.send({address: APPLIED})
        await post.sender.send({address: APPLIED})
        assert await receive() == APPLIED


async def test_no_address_is_given_twice(post: Post) -> None:
    with post.expect() as (first, _):
        pass
    with post.expect() as (second, _), post.expect() as (third, _):
        assert len({first, second, third}) == 3


async def test_a_late_reply_is_ignored(post: Post) -> None:
    assert post.inbox.is_open
    with post.expect() as (gone, _):
        pass
    with post.expect() as (address, receive):
        await post.sender.send({gone: REJECTED})
        await post.sender.send({address: APPLIED})
        assert await receive() == APPLIED


async def test_no_replies_are_no_error(post: Post) -> None:
    with post.expect() as (address, receive):
        await post.sender.send({})
        await post.sender.send({address: APPLIED})
        assert await receive() == APPLIED


async def test_a_reply_without_a_reader_is_dropped(unheard: Replies) -> None:
    for _ in range(5):
        assert await unheard.send({"nowhere": APPLIED}) is None  # type: ignore[func-returns-value]  # never raises
