"""`Answers`: each address is told what it waits for, and nothing goes wrong where it cannot be told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import count

import pytest
from redis.asyncio import Redis

from domain.errors import ErrorCode
from domain.ports import Answer, Answers
from tests.support.builders import NOON, creation, number
from tests.support.fakes import InMemoryAnswers

DEADLINE_S = 5.0

APPLIED = Answer(
    event_id=creation().event_id, outcome="applied", reason=None, client_id="client_001", timestamp=NOON
)
REJECTED = replace(
    APPLIED,
    event_id=creation(number(2)).event_id,
    outcome="rejected",
    reason=ErrorCode.INVALID_TRANSITION,
    client_id=None,
)

Receive = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Post:
    """Both ends: who sends, and a way to wait; it gives an address, and what arrives there."""

    sender: Answers
    expect: Callable[[], AbstractContextManager[tuple[str, Receive]]]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
def post(request: pytest.FixtureRequest) -> Post:
    chosen: Post = request.getfixturevalue(f"{request.param}_post")
    return chosen


@pytest.fixture
def memory_post() -> Post:
    answers = InMemoryAnswers()
    numbers = count()

    @contextmanager
    def expect() -> Iterator[tuple[str, Receive]]:
        address = f"waiting:{next(numbers)}"

        async def receive() -> Answer:
            return answers.sent[address][0]

        yield address, receive

    return Post(answers, expect)


@pytest.fixture
async def redis_post(redis_client: Redis) -> AsyncIterator[Post]:
    from storage.answers import AnswerInbox, RedisAnswers  # noqa: PLC0415  # only with the stack

    inbox = AnswerInbox(redis_client, "contract[1]*")

    @contextmanager
    def expect() -> Iterator[tuple[str, Receive]]:
        with inbox.expect() as (address, answer):
            yield address, lambda: asyncio.wait_for(answer, DEADLINE_S)

    async with inbox.listening():
        async with asyncio.timeout(DEADLINE_S):
            while not inbox.is_open:  # noqa: ASYNC110  # the inbox says it only when asked
                await asyncio.sleep(0.01)
        yield Post(RedisAnswers(redis_client), expect)


@pytest.fixture(params=["memory", "redis"])
def unheard(request: pytest.FixtureRequest) -> Answers:
    if request.param == "memory":
        return InMemoryAnswers()
    from storage.answers import RedisAnswers  # noqa: PLC0415  # with its param

    return RedisAnswers(request.getfixturevalue("redis_that_is_gone"))


@pytest.mark.parametrize("answer", [APPLIED, REJECTED], ids=["applied", "rejected"])
async def test_an_answer_arrives_as_it_was_sent(post: Post, answer: Answer) -> None:
    with post.expect() as (address, receive):
        await post.sender.send({address: [answer]})
        assert await receive() == answer


async def test_each_address_is_told_its_own(post: Post) -> None:
    with post.expect() as (here, first), post.expect() as (there, second):
        await post.sender.send({there: [REJECTED], "elsewhere": [APPLIED], here: [APPLIED]})
        assert (await first(), await second()) == (APPLIED, REJECTED)


async def test_two_who_wait_for_one_event_may_be_told_different_things(post: Post) -> None:
    conflict = replace(APPLIED, reason=ErrorCode.IDEMPOTENCY_CONFLICT)
    with post.expect() as (here, first), post.expect() as (there, second):
        await post.sender.send({here: [APPLIED], there: [conflict]})
        assert (await first(), await second()) == (APPLIED, conflict)


async def test_an_answer_that_comes_twice_is_the_same(post: Post) -> None:
    with post.expect() as (address, receive):
        await post.sender.send({address: [APPLIED, APPLIED]})
        await post.sender.send({address: [APPLIED]})
        assert await receive() == APPLIED


async def test_no_answers_are_no_trouble(post: Post) -> None:
    with post.expect() as (address, receive):
        await post.sender.send({})
        await post.sender.send({address: [APPLIED]})
        assert await receive() == APPLIED


async def test_an_answer_that_nobody_hears_is_lost_without_a_word(unheard: Answers) -> None:
    for _ in range(5):
        assert await unheard.send({"nowhere": [APPLIED]}) is None  # type: ignore[func-returns-value]  # never raises
