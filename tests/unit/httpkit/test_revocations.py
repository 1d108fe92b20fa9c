"""Revocations: tokens that are accepted while the list is incomplete."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from domain.access.permissions import Principal, Role
from domain.ports.core import Revocation
from domain.ports.revocations import RevocationNews
from httpkit.middleware.auth import InvalidToken, TokenIssuer, TokenVerifier, UncertainToken
from httpkit.middleware.revoked_tokens import (
    SILENCE_S,
    STARTING_S,
    Revocations,
    names_of,
    spared_name,
    token_name,
    user_name,
)
from servicekit.settings import Environment
from tests.unit.httpkit.conftest import AUTH

NOW_S = 1_700_000_000.0
BOUND_S = 120.0


class Clock:
    now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


class Feed:
    """Feed that reports the list as complete at a time, or as incomplete."""

    whole_at_s: float | None = NOW_S

    async def is_whole(self, *, since: datetime | None = None) -> bool | None:
        raise NotImplementedError

    async def publish(
        self, revocations: Sequence[Revocation], *, as_of: datetime | None = None, whole: bool = False
    ) -> bool:
        raise NotImplementedError

    async def news(self) -> RevocationNews:
        whole_at = None if self.whole_at_s is None else datetime.fromtimestamp(self.whole_at_s, UTC)
        return RevocationNews((), whole_at)


async def learned(feed: Feed, clock: Clock, known: Revocations | None = None) -> Revocations:
    known = known or Revocations(clock=clock, bound_s=BOUND_S)
    async with known.following(feed, every_s=60):
        return known


async def test_complete_list_accepts_tokens_of_every_age() -> None:
    clock, feed = Clock(), Feed()
    known = await learned(feed, clock)
    assert known.is_current
    assert known.can_decide(NOW_S - 86_400)
    clock.now_s += BOUND_S
    assert known.can_decide(NOW_S - 86_400)


async def test_stale_list_accepts_only_tokens_younger_than_the_bound() -> None:
    clock, feed = Clock(), Feed()
    known = await learned(feed, clock)
    feed.whole_at_s = None
    clock.now_s += BOUND_S + 1
    await learned(feed, clock, known)
    assert not known.is_current
    assert not known.can_decide(NOW_S)
    assert known.can_decide(NOW_S + 1)
    feed.whole_at_s = clock.now_s
    await learned(feed, clock, known)
    assert known.can_decide(NOW_S - 86_400)


async def test_process_that_never_read_the_list_accepts_only_young_tokens() -> None:
    clock, feed = Clock(), Feed()
    feed.whole_at_s = None
    known = await learned(feed, clock)
    assert not known.can_decide(NOW_S - BOUND_S - 1)
    assert known.can_decide(NOW_S)
    assert known.is_starting
    clock.now_s += STARTING_S
    assert not known.is_starting


async def test_list_without_maintenance_for_an_hour_still_accepts_tokens() -> None:
    clock, feed = Clock(), Feed()
    known = await learned(feed, clock)
    clock.now_s += SILENCE_S - 1
    await learned(feed, clock, known)
    assert known.can_decide(NOW_S - 1)
    clock.now_s += BOUND_S + 2
    await learned(feed, clock, known)
    assert not known.can_decide(NOW_S - 1)


def revoked(name: str, at_s: float) -> Revocation:
    at = datetime.fromtimestamp(at_s, UTC)
    return Revocation(name=name, issued_until=at, recorded_at=at, expires_at=at + timedelta(days=1))


def test_token_of_a_password_change_stays_valid_until_the_next_revocation() -> None:
    known = Revocations(clock=Clock())
    mine, other = names_of("mine", "ana"), names_of("other", "ana")
    known.add([revoked(user_name("ana"), NOW_S), revoked(spared_name("mine"), NOW_S)])
    assert (known.cover(mine, NOW_S - 1), known.cover(other, NOW_S - 1)) == (False, True)
    known.add([revoked(user_name("ana"), NOW_S + 1)])
    assert known.cover(mine, NOW_S - 1)


def test_a_spared_token_ends_when_it_is_logged_out() -> None:
    known = Revocations(clock=Clock())
    known.add([revoked(spared_name("mine"), NOW_S), revoked(token_name("mine"), NOW_S)])
    assert known.cover(names_of("mine", "ana"), NOW_S - 1)


def test_a_token_of_an_uncertain_end_is_refused_as_such() -> None:
    clock = Clock()
    known = Revocations(clock=clock, bound_s=BOUND_S)
    verifier = TokenVerifier(AUTH, known)
    token = TokenIssuer(AUTH).issue(Principal("ana", Role.ADMIN))
    verifier.verify(token)
    clock.now_s = verifier.read(token).issued_at + BOUND_S + 1
    with pytest.raises(UncertainToken):
        verifier.verify(token)


@pytest.mark.parametrize("sources", [(), ("driver-", "muelle ñ")])
def test_a_token_carries_the_sources(sources: tuple[str, ...]) -> None:
    who = Principal("driver", Role.PRODUCER, allowed_sources=sources)
    assert TokenVerifier(AUTH).verify(TokenIssuer(AUTH).issue(who)) == who


def test_a_token_of_a_user_of_development_is_refused_elsewhere() -> None:
    token = TokenIssuer(AUTH).issue(Principal("admin_user", Role.ADMIN, seeded=True))
    at_home = AUTH.model_copy(update={"env": Environment.DEVELOPMENT})
    assert TokenVerifier(at_home).verify(token).seeded
    with pytest.raises(InvalidToken):
        TokenVerifier(AUTH.model_copy(update={"env": Environment.PRODUCTION})).verify(token)
