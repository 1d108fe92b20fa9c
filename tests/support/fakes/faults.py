"""Planned faults: let the next call of a fake fail, before or after it has done its work."""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager


class Faults:
    """Errors planned for calls, first in, first raised."""

    def __init__(self) -> None:
        self._planned: defaultdict[str, deque[tuple[BaseException, bool]]] = defaultdict(deque)

    def fail_next(self, call: str, error: BaseException, *, after: bool = False) -> None:
        """Let the next `call` raise `error`.

        Args:
            call: the name of the method.
            error: what it raises.
            after: raise it after the work is done, as when only the response is lost.
        """
        self._planned[call].append((error, after))

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """Run the body of `call`, with the error planned for it, if any."""
        error, after = self._planned[call].popleft() if self._planned[call] else (None, False)
        if error is not None and not after:
            raise error
        yield
        if error is not None:
            raise error
