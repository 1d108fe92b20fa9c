"""Workers of the process: what runs beside the HTTP server until SIGTERM."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from servicekit.background_tasks import cancel_all
from webhooks.dispatching.delivering import Delivering
from webhooks.fanout.fan_out import FanOut


class Worker(Protocol):
    """Something that runs until it is stopped, and then ends what it has begun."""

    async def run(self) -> None:
        """Run until `stop`; return when nothing is in flight any more."""

    def stop(self) -> None:
        """Begin nothing new, and end `run` soon."""


class ReplicaWorkers:
    """The workers of this replica, and what they do at once after a change by the routes (`Notices`)."""

    def __init__(self, fan_out: FanOut, delivering: Delivering) -> None:
        self._fan_out = fan_out
        self._delivering = delivering

    @property
    def all(self) -> Sequence[Worker]:
        """The workers to run."""
        return (self._fan_out, self._delivering)

    def endpoint_changed(self) -> None:
        """See `Notices.endpoint_changed`."""
        self._fan_out.endpoints_changed()
        self._delivering.wake()

    def endpoint_deleted(self) -> None:
        """See `Notices.endpoint_deleted`."""
        self._fan_out.endpoints_changed()
        self._delivering.endpoint_deleted()

    def delivery_due(self) -> None:
        """See `Notices.delivery_due`."""
        self._delivering.wake()

    def replay_added(self) -> None:
        """See `Notices.replay_added`."""
        self._delivering.replay_added()


async def run_workers(workers: Sequence[Worker], stop: asyncio.Event, *, drain_s: float) -> None:
    """Run workers until `stop`, or until one of them ends; then stop all, and cancel what does not end.

    Args:
        workers: run concurrently.
        stop: set to end.
        drain_s: how long the workers may take to end, in seconds.

    Raises:
        Exception: of the first worker that has failed.
    """
    tasks = [asyncio.create_task(worker.run(), name=type(worker).__name__) for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
        for worker in workers:
            worker.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=drain_s)
    finally:
        await cancel_all((*tasks, stopping))
    for task in tasks:
        if not task.cancelled():
            task.result()
