"""Entry point: `python -m query_api` serves until SIGTERM."""

from functools import partial

from httpkit.server.app_server import run
from query_api.app import build_app
from query_api.settings import Settings
from servicekit.logs import configure_logs
from servicekit.settings import load_settings
from servicekit.tracing import tracing


def main() -> None:
    """Read the settings, then serve until SIGTERM."""
    settings = load_settings(Settings)
    configure_logs(settings.service, settings.telemetry, service="query-api")
    with tracing(settings.telemetry, settings.service, name="query-api") as tracer:
        run(partial(build_app, settings, tracer=tracer), settings.http)


if __name__ == "__main__":
    main()
