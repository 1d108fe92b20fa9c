"""Credentials of a client, and the token that they are exchanged for."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

from waybill.errors import UnexpectedResponse
from waybill.models import Token
from waybill.operations import EXCHANGE_API_KEY, LOG_IN
from waybill.transport import Call

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""`b64token` of RFC 6750, 2.1."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Identity of the caller: a user with a password, an API key, or a token; all None: nobody.

    Raises:
        ValueError: half of a pair, more than one identity, or a token that cannot be one.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Reject what does not fit together."""
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: one of them is missing")
        if sum(each is not None for each in (self.username, self.api_key, self.token)) > 1:
            raise ValueError("give username and password, or api_key, or token: only one of them")
        if self.token is not None and _TOKEN.fullmatch(self.token) is None:
            raise ValueError("the token is none: it has no spaces and no end of a line")

    def exchange(self) -> Call | None:
        """Return the call that gives a token; None if there is nothing to exchange."""
        if self.username is not None:
            return Call(operation=LOG_IN, body={"username": self.username, "password": self.password})
        if self.api_key is not None:
            return Call(operation=EXCHANGE_API_KEY, body={"api_key": self.api_key})
        return None


class _Held(NamedTuple):
    """A token and its end, in seconds of the clock; None: unknown."""

    text: str
    ends_s: float | None


class HeldToken:
    """The token that is in use; threads may share it, so it is replaced in one step.

    Args:
        token: one that was given, whose end is unknown.
        clock: monotonic, in seconds.
    """

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._held = None if token is None else _Held(token, None)
        self._clock = clock

    def current(self) -> str | None:
        """Return the token; None if there is none, or it is about to end."""
        held = self._held
        if held is None or (held.ends_s is not None and self._clock() >= held.ends_s):
            return None
        return held.text

    def take(self, token: Token) -> str:
        """Use a token from now on, until a tenth of its life, at most a minute, is left.

        Raises:
            UnexpectedResponse: it cannot be one.
        """
        if _TOKEN.fullmatch(token.token) is None:
            raise UnexpectedResponse(HTTPStatus.OK, message="the token of the response is none")
        ends_s = self._clock() + token.expires_in - min(60.0, token.expires_in / 10)
        self._held = _Held(token.token, ends_s)
        return token.token

    def drop(self, text: str) -> None:
        """Forget a token that was refused, unless another one is in use by now."""
        held = self._held
        if held is not None and held.text == text:
            self.clear()

    def clear(self) -> None:
        """Forget the token."""
        self._held = None
