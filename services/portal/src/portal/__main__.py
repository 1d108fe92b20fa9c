"""Entry point: `python -m portal` serves until SIGTERM."""

from functools import partial

from httpkit.server.app_server import run
from portal.app import build_app
from portal.settings import Settings
from servicekit.logs import configure_logs
from servicekit.process import allow_open_files
from servicekit.settings import load_settings
from servicekit.tracing import tracing


def main() -> None:
    """Read the settings, then serve until SIGTERM."""
    settings = load_settings(Settings)
    configure_logs(settings.service, settings.telemetry, service="portal")
    allow_open_files()  # each open page may keep a stream
    with tracing(settings.telemetry, settings.service, name="portal") as tracer:
        run(partial(build_app, settings, tracer=tracer), settings.http)


if __name__ == "__main__":
    main()
