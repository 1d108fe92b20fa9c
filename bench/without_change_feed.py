"""The processor without its derived topics: `python -m bench.without_change_feed`, for `bench.peers`.

The peers publish nothing of what they have applied. This one does not either, and is the product in all else.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from domain.processing.batch import Verdict
from httpkit.middleware.http_metrics import new_registry
from messaging.producer.idempotent_producer import ResilientProducer
from processor.app import build_runtime, open_ports
from processor.settings import Settings
from servicekit.logs import configure_logs
from servicekit.process import run_main, stop_signals
from servicekit.settings import load_settings


class Silence:
    """`ChangeFeed` that publishes nothing."""

    async def publish(self, verdicts: Sequence[Verdict]) -> None:
        """Publish nothing."""


async def run(settings: Settings) -> None:
    """Apply events until SIGTERM."""
    producer = ResilientProducer(settings.kafka)
    async with AsyncExitStack() as stack:
        stop = await stack.enter_async_context(stop_signals())
        await stack.enter_async_context(producer.running())
        ports = await stack.enter_async_context(open_ports(settings, producer, new_registry("processor")))
        runtime = build_runtime(settings, replace(ports, feed=Silence()))
        consuming = asyncio.create_task(runtime.run())
        await stop.wait()
        runtime.stop()
        await consuming


def main() -> None:
    """Read the environment, then apply events."""
    settings = load_settings(Settings)
    configure_logs(settings.service, service="without_change_feed")
    run_main(lambda: run(settings))


if __name__ == "__main__":
    main()
