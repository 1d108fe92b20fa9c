"""Error reports to Sentry, if a DSN is set: log lines of the levels error and critical."""

from typing import Any, Final

from structlog.typing import EventDict, Processor, WrappedLogger

from servicekit.settings import ServiceSettings

_REPORTED: Final = frozenset({"error", "critical", "exception"})


def error_reports(dsn: str, settings: ServiceSettings, *, service: str, **options: Any) -> Processor:  # noqa: ANN401  # Sentry's own
    """Return the structlog processor that reports errors; call it once, because it starts Sentry.

    Args:
        dsn: the Sentry project.
        settings: environment and instance.
        service: name of the service, as a tag.
        options: further options of `sentry_sdk.init`.
    """
    import sentry_sdk  # noqa: PLC0415  # imported only when it is used

    sentry_sdk.init(
        dsn=dsn,
        environment=settings.env,
        server_name=settings.instance_id,
        # Only what the log has: no bodies, headers or variables, which may hold passwords and addresses.
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_request_body_size="never",
        **options,
    )
    sentry_sdk.set_tag("service", service)

    def report(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if method in _REPORTED:
            with sentry_sdk.new_scope() as scope:
                scope.set_context("line", {name: str(value) for name, value in event.items()})
                if event.get("exc_info"):
                    fault = event["exc_info"]
                    sentry_sdk.capture_exception(None if fault is True else fault)
                else:
                    sentry_sdk.capture_message(str(event["event"]), level="error")
        return event

    return report
