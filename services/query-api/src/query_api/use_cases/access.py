"""Wiring of the use cases of login, logout and user management."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from domain.ports.core import Clock
from httpkit.middleware.revoked_tokens import Revocations
from query_api.adapters import Adapters
from query_api.settings import Settings
from query_api.use_cases.logins import KeyLogin, PasswordLogin
from query_api.use_cases.token_revocation import Revoker
from query_api.use_cases.user_accounts import Accounts, ApiKeys
from servicekit.settings import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The use cases of the handlers of `/auth`."""

    accounts: Accounts
    api_keys: ApiKeys
    passwords: PasswordLogin
    keys: KeyLogin
    revoker: Revoker
    token_ttl_s: int


ACCESS: Final = web.AppKey("access", Access)


@asynccontextmanager
async def open_access(
    settings: Settings, adapters: Adapters, known: Revocations, clock: Clock
) -> AsyncIterator[Access]:
    """Wire the use cases; while the context lasts, `known` is updated and revocations are republished."""
    revoker = Revoker(
        adapters.revocations, adapters.feed, known, clock=clock, token_ttl_s=settings.auth.jwt_ttl_s
    )
    accounts = Accounts(adapters.users, adapters.hasher, revoker, clock)
    development = settings.service.env is Environment.DEVELOPMENT
    access = Access(
        accounts=accounts,
        api_keys=ApiKeys(accounts, adapters.keys, revoker, clock),
        passwords=PasswordLogin(
            adapters.users, adapters.hasher, adapters.guard, adapters.issuer, development=development
        ),
        keys=KeyLogin(adapters.keys, adapters.issuer, clock, development=development),
        revoker=revoker,
        token_ttl_s=adapters.issuer.ttl_s,
    )
    async with (
        known.following(adapters.feed, every_s=settings.auth.jwt_revocation_poll_s),
        revoker.healing(every_s=settings.logins.revocation_heal_s),
    ):
        yield access
