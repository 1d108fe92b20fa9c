"""Fair queue for few places: known users, and strangers address by address.

Known users and strangers alternate: users with an account cannot shut strangers out, and many requests from
one address wait behind each other. If the queue is full, the newest request of the address with the most
requests is removed for one of an address with fewer.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from domain.errors import TransientError

MAX_WAITING: Final = 64
MAX_PER_ADDRESS: Final = 8


class NoTurn(TransientError):
    """The queue is full: one more request would only delay all of them."""


class AddressCrowded(NoTurn):
    """The queue has the maximum number of requests of one address."""


class Turns:
    """Queue in front of a fixed number of places."""

    def __init__(
        self, places: int, *, max_waiting: int = MAX_WAITING, max_per_address: int = MAX_PER_ADDRESS
    ) -> None:
        """Create an empty queue.

        Args:
            places: requests served at once.
            max_waiting: known users that wait at most; and as many strangers.
            max_per_address: strangers of one address that wait at most.
        """
        self._free = places
        self._max_waiting = max_waiting
        self._max_per_address = max_per_address
        self._known_had_last = False
        self._known: deque[asyncio.Future[None]] = deque()
        self._others: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str | None) -> AsyncIterator[None]:
        """Wait for a place, and keep it while the context lasts.

        Args:
            address: of a stranger; None for a known user.

        Raises:
            AddressCrowded: too many requests of this address wait.
            NoTurn: too many requests wait.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, address: str | None) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queue(address).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on()  # its place was granted, and is free again
            raise

    def _queue(self, address: str | None) -> deque[asyncio.Future[None]]:
        """Return the queue for an address.

        Raises:
            AddressCrowded: see `turn`.
            NoTurn: see `turn`.
        """
        if address is None:
            if len(self._known) >= self._max_waiting:
                raise NoTurn("too many logins at once")
            return self._known
        own = self._others.get(address, ())
        if len(own) >= self._max_per_address:
            raise AddressCrowded("too many logins at once from this address")
        if sum(map(len, self._others.values())) >= self._max_waiting:
            self._make_room(len(own))
        return self._others.setdefault(address, deque())

    def _make_room(self, own: int) -> None:
        longest = max(self._others.values(), key=len)
        if len(longest) <= own + 1:
            raise NoTurn("too many logins at once")
        last = longest.pop()
        if not last.done():
            last.set_exception(NoTurn("too many logins at once"))

    def _pass_on(self) -> None:
        turn = self._next()
        if turn is None:
            self._free += 1
        else:
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        first, second = self._next_known, self._next_other
        if self._known_had_last:
            first, second = second, first
        return first() or second()

    def _next_known(self) -> asyncio.Future[None] | None:
        while self._known:
            turn = self._known.popleft()
            if not turn.done():
                self._known_had_last = True
                return turn
        return None

    def _next_other(self) -> asyncio.Future[None] | None:
        while self._others:
            address, queue = self._others.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._others[address] = queue  # behind those of other addresses
            if not turn.done():
                self._known_had_last = False
                return turn
        return None
