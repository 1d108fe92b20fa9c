"""`python -m tests.support.crashing`: the processor as it is built for work, struck at `CRASH_AT`."""

import asyncio
import os

from httpkit.logs import configure_logs
from httpkit.metrics import new_registry
from httpkit.server import run_main, stop_signals
from httpkit.settings import load_settings
from messaging.producer import ResilientProducer
from processor.app import build_runtime, open_ports
from processor.settings import Settings
from tests.support.crashing.points import CrashPoint, with_crash


async def run(settings: Settings) -> None:
    """Apply events until SIGTERM, or until struck down."""
    point, on_call = CrashPoint(os.environ["CRASH_AT"]), int(os.environ["CRASH_ON"])
    producer = ResilientProducer(settings.kafka)
    async with (
        stop_signals() as stop,
        producer.running(),
        open_ports(settings, producer, new_registry()) as ports,
    ):
        runtime = build_runtime(settings, with_crash(ports, point, on_call))
        running = asyncio.create_task(runtime.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        runtime.stop()
        stopping.cancel()
        await running


def main() -> None:
    """Read the environment, then run."""
    settings = load_settings(Settings)
    configure_logs(settings.service, service="processor")
    run_main(lambda: run(settings))


if __name__ == "__main__":
    main()
