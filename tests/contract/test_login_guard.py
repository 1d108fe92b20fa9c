"""`LoginGuard`: failures slow down who causes them, and a user elsewhere as little as can be."""

import pytest

from domain.access.lockout import LockPolicies, LockPolicy
from domain.ports.core import LoginGuard
from storage.redis.login_lockout import LocalLoginGuard, RedisLoginGuard

HOME, OFFICE, BOTNET = "198.51.100.7", "203.0.113.9", "192.0.2.{}"
POLICIES = LockPolicies(pair=LockPolicy(free=3), user=LockPolicy(free=8), address=LockPolicy(free=12))


@pytest.fixture(params=["memory", "gone", pytest.param("redis", marks=pytest.mark.stack)])
def guard(request: pytest.FixtureRequest) -> LoginGuard:
    if request.param == "memory":
        return LocalLoginGuard(POLICIES)
    name = "redis_client" if request.param == "redis" else "redis_that_is_gone"
    return RedisLoginGuard(request.getfixturevalue(name), POLICIES)


async def fail(guard: LoginGuard, username: str, address: str, times: int = 1) -> float:
    for _ in range(times):
        await guard.failed(username, address)
    return await guard.wait_s(username, address)


async def test_some_failures_are_free_then_waits_double(guard: LoginGuard) -> None:
    waits = [await fail(guard, "ana", HOME) for _ in range(5)]
    assert waits[:2] == [0, 0]
    assert [round(wait) for wait in waits[2:]] == [1, 2, 4]


async def test_a_guesser_does_not_lock_the_user_out(guard: LoginGuard) -> None:
    assert await fail(guard, "ana", HOME, times=4) > 0
    assert await guard.wait_s("ana", OFFICE) == 0
    assert await guard.wait_s("luis", HOME) == 0


async def test_many_addresses_meet_the_user_s_own_bound(guard: LoginGuard) -> None:
    for number in range(9):
        await fail(guard, "ana", BOTNET.format(number))
    assert await guard.wait_s("ana", OFFICE) > 0
    assert await guard.wait_s("luis", OFFICE) == 0


async def test_where_the_user_has_logged_in_before_it_still_can(guard: LoginGuard) -> None:
    await guard.succeeded("ana", HOME)
    for number in range(9):
        await fail(guard, "ana", BOTNET.format(number))
    assert await guard.wait_s("ana", HOME) == 0


async def test_one_address_that_tries_many_users_is_locked(guard: LoginGuard) -> None:
    for number in range(13):
        await fail(guard, f"user{number}", HOME)
    assert await guard.wait_s("nobody yet", HOME) > 0
    assert await guard.wait_s("nobody yet", OFFICE) == 0


async def test_a_success_forgets_the_failures(guard: LoginGuard) -> None:
    await fail(guard, "ana", HOME, times=4)
    await guard.succeeded("ana", HOME)
    assert await fail(guard, "ana", HOME, times=2) == 0


async def test_a_pair_is_known_once_it_has_logged_in(guard: LoginGuard) -> None:
    assert not await guard.knows("ana", HOME)
    await guard.succeeded("ana", HOME)
    assert await guard.knows("ana", HOME)
    assert not await guard.knows("ana", OFFICE)
    assert not await guard.knows("luis", HOME)
