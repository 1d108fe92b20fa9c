from collections.abc import AsyncIterator, Iterable, Iterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from demo.errors import NotAnswering, NotRunning
from demo.run.gateway import Gateway, Request, refused

ASK = Request("POST", "/", {"events": []})
LOST = 0


class Moody:
    """Answers each request with the next status; `LOST` hangs up instead."""

    def __init__(self) -> None:
        self.statuses: Iterator[int] = iter(())
        self.retry_after = "0"

    def will_answer(self, statuses: Iterable[int]) -> None:
        self.statuses = iter(statuses)

    async def answer(self, request: web.Request) -> web.Response:
        status = next(self.statuses)
        if status == LOST:
            assert request.transport is not None
            request.transport.abort()
        headers = {"Retry-After": self.retry_after}
        return web.json_response({"message": "no"}, status=status, headers=headers)


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
async def gateway(moody: Moody) -> AsyncIterator[Gateway]:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", moody.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Gateway(session, url=str(server.make_url("/")), patience_s=2)


async def test_it_sends_again_when_the_stack_is_busy(moody: Moody, gateway: Gateway) -> None:
    moody.will_answer([503, 429, 502, 202])
    answer = await gateway.ask(ASK)
    assert (answer.status, answer.unsure) == (202, 2), "what was answered 429 was surely not taken"


async def test_it_sends_again_when_the_answer_is_lost(moody: Moody, gateway: Gateway) -> None:
    moody.will_answer([LOST, 202])
    answer = await gateway.ask(ASK)
    assert (answer.status, answer.unsure) == (202, 1)


async def test_it_waits_as_long_as_it_is_told(moody: Moody, gateway: Gateway) -> None:
    moody.retry_after = "3"
    moody.will_answer([503])
    with pytest.raises(NotAnswering, match=r"did not take POST / for 2 s \(status 503\)"):
        await gateway.ask(ASK)


async def test_other_answers_are_the_callers_to_judge(moody: Moody, gateway: Gateway) -> None:
    moody.will_answer([400])
    answer = await gateway.ask(ASK)
    assert str(refused(ASK, answer)) == "POST / was answered 400: no"


async def test_nobody_listens() -> None:
    async with aiohttp.ClientSession() as session:
        gateway = Gateway(session, url=f"http://localhost:{unused_port()}")
        with pytest.raises(NotRunning, match="start it first: make run"):
            await gateway.knock()


async def test_a_stack_that_is_starting_is_there(moody: Moody, gateway: Gateway) -> None:
    moody.will_answer([503, LOST])
    await gateway.knock()
    await gateway.knock()
    assert list(moody.statuses) == [], "both were heard, and are no reason to say that nothing runs"
