"""Sleeping, locking and iterating, for threads and for tasks of asyncio or trio."""

import threading
import time
from collections.abc import AsyncGenerator, Generator
from typing import Final, TypeVar

import anyio

ItemT = TypeVar("ItemT")
Stream = Generator[ItemT, None, None]
"""Items without end; `close()` ends it."""
AsyncStream = AsyncGenerator[ItemT, None]
"""Items without end; `aclose()` ends it."""

Lock = threading.Lock
AsyncLock = anyio.Lock
sleep: Final = time.sleep
async_sleep: Final = anyio.sleep
