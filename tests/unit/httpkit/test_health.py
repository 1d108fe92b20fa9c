"""Health: states, deadlines and caching."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from httpkit.server.health import Check, CheckGroup, Health, State
from tests.unit.httpkit.conftest import Serve


def always(state: State) -> Check:
    async def check() -> State:
        return state

    return check


def counting(calls: list[int]) -> Check:
    async def check() -> State:
        calls.append(1)
        await asyncio.sleep(0)
        return State.OK

    return check


async def broken() -> State:
    raise ConnectionError("mongodb://user:secret@host")


async def hanging() -> State:
    await asyncio.Event().wait()
    return State.OK


@pytest.mark.parametrize(
    ("states", "status", "overall"),
    [
        ({"database": State.OK, "cache": State.OK}, 200, "ok"),
        ({"database": State.OK, "cache": State.DEGRADED}, 200, "degraded"),
        ({"database": State.DOWN, "cache": State.DEGRADED}, 503, "down"),
        ({}, 200, "ok"),
    ],
)
async def test_the_worst_state_decides(
    serve: Serve, states: dict[str, State], status: int, overall: str
) -> None:
    client = await serve(health=Health({name: always(state) for name, state in states.items()}))
    for path in ("/health", "/health/ready"):
        response = await client.get(path)
        body: dict[str, Any] = await response.json()
        assert datetime.fromisoformat(body.pop("timestamp")).tzinfo is not None
        assert (response.status, body) == (status, {"status": overall, "checks": states})


async def test_get_head_and_post_of_health_return_the_same(serve: Serve) -> None:
    client = await serve(health=Health({"database": always(State.DOWN)}))
    for method in ("GET", "HEAD", "POST"):
        assert (await client.request(method, "/health")).status == 503


async def test_liveness_checks_nothing(serve: Serve) -> None:
    client = await serve(health=Health({"database": broken}))
    assert (await client.get("/health/live")).status == 200


async def test_readiness_has_additional_checks(serve: Serve) -> None:
    health = Health({"database": always(State.OK)}, readiness={"producer": always(State.DOWN)})
    client = await serve(health=health)
    ready = await client.get("/health/ready")
    assert (await client.get("/health")).status == 200
    assert (ready.status, (await ready.json())["checks"]) == (503, {"database": "ok", "producer": "down"})


async def test_readiness_may_replace_a_check_of_health(serve: Serve) -> None:
    health = Health({"event_queue": always(State.DOWN)}, readiness={"event_queue": always(State.OK)})
    client = await serve(health=health)
    assert (await client.get("/health")).status == 503
    assert (await client.get("/health/ready")).status == 200


async def test_health_ignores_preconditions(serve: Serve) -> None:
    client = await serve(health=Health({}))
    for headers in ({"If-Match": '"x"'}, {"If-None-Match": "*"}):
        assert (await client.post("/health", headers=headers)).status == 200


async def test_failing_check_is_down_without_details(serve: Serve) -> None:
    client = await serve(health=Health({"database": broken}))
    response = await client.get("/health")
    assert (response.status, (await response.json())["checks"]) == (503, {"database": "down"})
    assert "secret" not in await response.text()


async def test_optional_check_is_never_worse_than_degraded(serve: Serve) -> None:
    client = await serve(health=Health({"cache": broken}, optional=["cache"]))
    response = await client.get("/health")
    assert (response.status, (await response.json())["checks"]) == (200, {"cache": "degraded"})


async def test_hanging_check_does_not_delay_the_others() -> None:
    checks = {"database": hanging, "queue": hanging, "cache": always(State.OK)}
    async with asyncio.timeout(1):
        states = await CheckGroup(checks, timeout_s=0.05).states()
    assert states == {"database": State.DOWN, "queue": State.DOWN, "cache": State.OK}


async def test_one_late_response_is_no_outage() -> None:
    outcomes = iter([State.DOWN, State.OK, State.DOWN, State.DOWN, State.DOWN, State.OK])

    async def check() -> State:
        return next(outcomes)

    group = CheckGroup({"database": check}, remembered_s=0)
    states = [(await group.states())["database"] for _ in range(4)]
    assert states == [State.OK, State.DOWN, State.DOWN, State.OK]  # down is not asked twice whether it is


async def test_many_probes_make_one_check() -> None:
    calls: list[int] = []
    group = CheckGroup({"database": counting(calls)})
    await asyncio.gather(*(group.states() for _ in range(20)))
    assert len(calls) == 1


async def test_health_is_cached_for_a_moment_only() -> None:
    calls: list[int] = []
    moments = iter([0.0, 0.0, 0.9, 1.0, 1.0])
    group = CheckGroup({"database": counting(calls)}, clock=lambda: next(moments))
    for expected in (1, 1, 2):
        await group.states()
        assert len(calls) == expected
