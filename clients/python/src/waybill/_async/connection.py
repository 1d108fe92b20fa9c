"""Connection to the API: tokens, attempts, and retries."""

import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import Final

import httpx2

from waybill.credentials import Credentials, HeldToken
from waybill.errors import Unauthorized, WaybillError
from waybill.models import Token
from waybill.retries import Attempts, RetryPolicy
from waybill.transport import (
    Call,
    Content,
    Reply,
    ServerClock,
    address_of,
    connection_failure,
    is_loopback,
    log_retry,
    reply_of,
    tls_context,
)
from waybill.waiting import AsyncLock, async_sleep

CONNECT_TIMEOUT_S: Final = 10.0
_USER_AGENT: Final = f"waybill-python/{version('waybill')}"


class AsyncConnection:
    """Connection to the API, used by all resources of a client.

    Args:
        timeout_s: seconds for sending, and for each silence of the server; a call that lets the server wait
            has that time on top.
        headers: sent with each request.

    Raises:
        ValueError: the address is none of http or https, or a number has no meaning.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeout_s: float,
        retries: RetryPolicy,
        headers: Mapping[str, str],
    ) -> None:
        if not 0 < timeout_s < math.inf:
            raise ValueError(f"timeout must be a number of seconds greater than 0: {timeout_s}")
        if retries.retries < 0:
            raise ValueError(f"retries must not be negative: {retries.retries}")
        self._address = address_of(url)
        self.url = str(self._address)
        self.clock = ServerClock()
        self._credentials = credentials
        self._token = HeldToken(credentials.token, time.monotonic)
        self._login = AsyncLock()
        self._refusal: Unauthorized | None = None
        self._timeout_s = timeout_s
        self._retries = retries
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": _USER_AGENT, **headers},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # the API has none
            follow_redirects=False,
            verify=tls_context(self._address),
            trust_env=not is_loopback(self._address.host),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(self, call: Call) -> Reply:
        """Execute a call, with retries where repeating is safe.

        Raises:
            ApiError: the API answered with an error.
            ConnectionFailed: no complete response.
            ValueError: the call cannot be sent as it is.
        """
        attempts = self.attempts(call)
        is_renewed = False
        while True:
            try:
                token = await self._valid_token(call)
            except WaybillError as failure:
                attempts.end_without_token(failure)
                raise
            try:
                return await self._exchange(call, token)
            except WaybillError as failure:
                if attempts.is_done(failure):
                    return Reply(HTTPStatus.NO_CONTENT, None, {})
                if token is not None and not is_renewed and self._is_refused(token, failure):
                    is_renewed = True
                    continue
                delay_s = attempts.next_delay_s(failure)
                log_retry(call, failure, delay_s)
            await async_sleep(delay_s)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[httpx2.Response]:
        """Open a response whose body is read as it comes; one attempt.

        Raises:
            ApiError: the API answered with an error.
            ConnectionFailed: no response, or it broke off.
        """
        token = await self._valid_token(call)
        response = await self._opened(call, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED and token is not None and self._can_log_in:
            await response.aclose()
            self._token.drop(token)
            response = await self._opened(call, await self._valid_token(call))
        try:
            if not response.is_success:
                reply_of(response, await _content_of(response))
            yield response
        except httpx2.RequestError as error:
            raise connection_failure(error, self.url) from error
        finally:
            await response.aclose()

    def attempts(self, call: Call) -> Attempts:
        """Return the attempts of a call, none of which was made yet."""
        names_version = "If-Match" in call.headers
        return Attempts(call.operation, self._retries, time.monotonic, names_version=names_version)

    async def log_in(self) -> Token:
        """Exchange the credentials for a new token, and use it.

        Raises:
            ValueError: the client has no credentials to exchange.
        """
        exchange = self._credentials.exchange()
        if exchange is None:
            raise ValueError("this client has neither username and password nor api_key")
        token = (await self.call(exchange)).as_model(Token)
        self._token.take(token)
        return token

    def use(self, credentials: Credentials) -> None:
        """Use other credentials at the next login."""
        self._credentials = credentials

    @property
    def credentials(self) -> Credentials:
        """The credentials in use."""
        return self._credentials

    @property
    def has_token(self) -> bool:
        """Whether a token is in use."""
        return self._token.current() is not None

    def forget_token(self) -> None:
        """Forget the token; the next call gets another one."""
        self._token.clear()

    async def _exchange(self, call: Call, token: str | None) -> Reply:
        response = await self._opened(call, token)
        try:
            content = await _content_of(response)
        except httpx2.RequestError as error:
            raise connection_failure(error, self.url) from error
        finally:
            await response.aclose()
        return reply_of(response, content, call.accepted)

    async def _opened(self, call: Call, token: str | None) -> httpx2.Response:
        try:
            response = await self._http.send(self._request(call, token), stream=True)
        except httpx2.RequestError as error:
            raise connection_failure(error, self.url) from error
        self.clock.observe(response.headers)
        return response

    def _is_refused(self, token: str, failure: WaybillError) -> bool:
        """Return whether another token may help: this one has ended or was revoked, and nothing was executed.

        A wrong password is 401 too: sent twice, it would count as two failed logins.
        """
        if not isinstance(failure, Unauthorized) or failure.code == "INVALID_CREDENTIALS":
            return False
        self._token.drop(token)
        return self._can_log_in

    async def _valid_token(self, call: Call) -> str | None:
        if call.operation.is_public:
            return None
        current = self._token.current()
        if current is not None or not self._can_log_in:
            return current
        known = self._refusal
        async with self._login:
            current = self._token.current()  # of another task or thread, meanwhile
            if current is not None:
                return current
            if self._refusal is not None and self._refusal is not known:
                raise copy(self._refusal)  # of the other one: each failed login counts towards a lockout
            try:
                return (await self.log_in()).token
            except Unauthorized as error:
                self._refusal = copy(error)
                raise

    @property
    def _can_log_in(self) -> bool:
        return self._credentials.exchange() is not None

    def _request(self, call: Call, token: str | None) -> httpx2.Request:
        silence_s = self._timeout_s + (call.slow_s if call.wait_s is None else call.wait_s)
        try:
            return self._http.build_request(
                call.operation.method,
                self.url + call.path,
                params=call.query or None,
                content=call.content,
                headers=call.all_headers(token),
                timeout=httpx2.Timeout(silence_s, connect=min(CONNECT_TIMEOUT_S, self._timeout_s)),
            )
        except (httpx2.InvalidURL, UnicodeEncodeError) as error:
            raise ValueError(f"the request cannot be sent: {error}") from error


async def _content_of(response: httpx2.Response) -> bytes:
    content = Content(response.status_code)
    async for piece in response.aiter_bytes():
        content.take(piece)
    return bytes(content)
