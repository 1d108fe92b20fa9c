"""Input that makes a careless parser backtrack: one short pattern repeated up to the bound, never closed."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

LARGEST_HEAD = 30_000
LARGEST_TARGET = 8_000
WITHIN_S = 0.3
"""Of CPU time, so that a busy machine changes nothing; what is not linear takes seconds at this size."""

FIELDS = (
    *("Accept", "Accept-Encoding", "Authorization", "Content-Encoding", "Content-Type", "Cookie", "Expect"),
    *("Forwarded", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Origin", "Prefer", "Range"),
    *("traceparent", "tracestate", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id"),
)
_PATTERNS = (
    *('"', '\\"', '"\\', ",", ", ", ";", "; ", "a;", "a,", 'a="",', "a=b;", 'a="b;', '"a",', '"a" ,'),
    *('W/"a", ', " ", "\t", "a  =  ", "a/b,", "a/b;q=0.", "0", "1.", "::", "1:", "wait=1,", "00-", "%25"),
)
_BEGINNINGS = ("", '"', 'a/b;c="')


def hostile(size: int) -> Iterator[str]:
    """Give texts of so many characters."""
    for beginning in _BEGINNINGS:
        for pattern in _PATTERNS:
            text = f"{beginning}{pattern * (size // len(pattern))}"[: size - 1]
            yield f"{text.strip()}?"


@contextmanager
def quick(what: str) -> Iterator[None]:
    """Require that the block takes this process almost no CPU time."""
    gc.disable()  # what it takes to look through all objects of the test run is no matter of the input
    started = time.process_time()
    try:
        yield
    finally:
        taken = time.process_time() - started
        gc.enable()
    assert taken < WITHIN_S, f"{taken:.2f} s of CPU for {what}"
