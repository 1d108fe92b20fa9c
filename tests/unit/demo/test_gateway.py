from collections.abc import AsyncIterator, Iterable, Iterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from demo.errors import NotAnswering, NotRunning
from demo.run.gateway import Gateway, Request, refused

ASK = Request("POST", "/", {"events": []})
LOST = 0


class ScriptedStack:
    """Server that responds to each request with the next status; `LOST` hangs up instead."""

    def __init__(self) -> None:
        self.statuses: Iterator[int] = iter(())
        self.retry_after = "0"

    def will_return(self, statuses: Iterable[int]) -> None:
        self.statuses = iter(statuses)

    async def respond(self, request: web.Request) -> web.Response:
        status = next(self.statuses)
        if status == LOST:
            assert request.transport is not None
            request.transport.abort()
        headers = {"Retry-After": self.retry_after}
        return web.json_response({"message": "no"}, status=status, headers=headers)


@pytest.fixture
def scripted() -> ScriptedStack:
    return ScriptedStack()


@pytest.fixture
async def gateway(scripted: ScriptedStack) -> AsyncIterator[Gateway]:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", scripted.respond)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Gateway(session, url=str(server.make_url("/")), patience_s=2)


async def test_a_busy_stack_is_retried(scripted: ScriptedStack, gateway: Gateway) -> None:
    scripted.will_return([503, 429, 502, 202])
    response = await gateway.ask(ASK)
    assert (response.status, response.unsure) == (202, 2), "what was answered 429 was surely not taken"


async def test_a_lost_response_is_retried(scripted: ScriptedStack, gateway: Gateway) -> None:
    scripted.will_return([LOST, 202])
    response = await gateway.ask(ASK)
    assert (response.status, response.unsure) == (202, 1)


async def test_retry_after_is_respected(scripted: ScriptedStack, gateway: Gateway) -> None:
    scripted.retry_after = "3"
    scripted.will_return([503])
    with pytest.raises(NotAnswering, match=r"did not take POST / for 2 s \(status 503\)"):
        await gateway.ask(ASK)


async def test_other_responses_are_returned(scripted: ScriptedStack, gateway: Gateway) -> None:
    scripted.will_return([400])
    response = await gateway.ask(ASK)
    assert str(refused(ASK, response)) == "POST / was answered 400: no"


async def test_no_listener_is_an_error() -> None:
    async with aiohttp.ClientSession() as session:
        gateway = Gateway(session, url=f"http://localhost:{unused_port()}")
        with pytest.raises(NotRunning, match="start it first: make run"):
            await gateway.check_reachable()


async def test_a_stack_that_is_starting_is_there(scripted: ScriptedStack, gateway: Gateway) -> None:
    scripted.will_return([503, LOST])
    await gateway.check_reachable()
    await gateway.check_reachable()
    assert list(scripted.statuses) == [], "both were heard, and are no reason to say that nothing runs"
