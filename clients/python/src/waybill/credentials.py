"""Credentials of a client, and the token that they are exchanged for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from waybill.models import Token
from waybill.operations import EXCHANGE_API_KEY, LOG_IN
from waybill.transport import Call


@dataclass(frozen=True, slots=True)
class Credentials:
    """Identity of the caller: a user with a password, an API key, or a token; all None: nobody.

    Raises:
        ValueError: half of a pair, or more than one identity.
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

    def exchange(self) -> Call | None:
        """Return the call that gives a token; None if there is nothing to exchange."""
        if self.username is not None:
            return Call(operation=LOG_IN, body={"username": self.username, "password": self.password})
        if self.api_key is not None:
            return Call(operation=EXCHANGE_API_KEY, body={"api_key": self.api_key})
        return None


class HeldToken:
    """The token that is in use.

    Args:
        token: one that was given, whose end is unknown.
        clock: monotonic, in seconds.
    """

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._text = token
        self._ends_s: float | None = None
        self._clock = clock

    def current(self) -> str | None:
        """Return the token; None if there is none, or it is about to end."""
        if self._ends_s is not None and self._clock() >= self._ends_s:
            return None
        return self._text

    def take(self, token: Token) -> str:
        """Use a token from now on, until a tenth of its life, at most a minute, is left."""
        self._ends_s = self._clock() + token.expires_in - min(60.0, token.expires_in / 10)
        self._text = token.token
        return token.token

    def drop(self, text: str) -> None:
        """Forget a token that was refused, unless another one is in use by now."""
        if self._text == text:
            self.clear()

    def clear(self) -> None:
        """Forget the token."""
        self._text = self._ends_s = None
