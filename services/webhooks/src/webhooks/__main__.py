"""`python -m webhooks`: runs until SIGTERM; exit code 1 requests a restart."""

from servicekit.logs import configure_logs
from servicekit.process import allow_open_files, run_main, stop_signals
from servicekit.settings import load_settings
from servicekit.tracing import tracing
from webhooks.app import run_webhooks
from webhooks.settings import Settings


def main() -> None:
    """Read the settings, then send webhooks and serve their management."""
    settings = load_settings(Settings)
    configure_logs(settings.service, settings.telemetry, service="webhooks")
    allow_open_files()  # connections to receivers are kept for seconds, and there may be thousands

    with tracing(settings.telemetry, settings.service, name="webhooks") as tracer:

        async def run() -> None:
            async with stop_signals() as stop:
                await run_webhooks(settings, stop, tracer=tracer)

        run_main(run)


if __name__ == "__main__":
    main()
