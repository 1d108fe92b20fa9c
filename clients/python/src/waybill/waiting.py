"""Sleeping and locking, for threads and for tasks of asyncio or trio."""

import threading
import time
from typing import Final

import anyio

Lock = threading.Lock
AsyncLock = anyio.Lock
sleep: Final = time.sleep
async_sleep: Final = anyio.sleep
