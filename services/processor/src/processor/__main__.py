"""`python -m processor`: runs until SIGTERM; exit code 1 requests a restart."""

from processor.app import run_processor
from processor.settings import Settings
from servicekit.logs import configure_logs
from servicekit.process import run_main, stop_signals
from servicekit.settings import load_settings
from servicekit.tracing import tracing


def main() -> None:
    """Read the settings, then run the processor."""
    settings = load_settings(Settings)
    configure_logs(settings.service, settings.telemetry, service="processor")

    with tracing(settings.telemetry, settings.service, name="processor") as tracer:

        async def run() -> None:
            async with stop_signals() as stop:
                await run_processor(settings, stop, tracer=tracer)

        run_main(run)


if __name__ == "__main__":
    main()
