"""Errors to Sentry, where a DSN is set: what the log says at the levels error and critical."""

from typing import Any, Final

from structlog.typing import EventDict, Processor, WrappedLogger

from servicekit.settings import ServiceSettings

_REPORTED: Final = frozenset({"error", "critical", "exception"})


def error_reports(dsn: str, settings: ServiceSettings, *, service: str, **options: Any) -> Processor:  # noqa: ANN401  # Sentry's own
    """Return the processor of structlog that reports lines; call it once, it starts Sentry.

    Args:
        dsn: where to.
        settings: who reports.
        service: who reports.
        options: more for `sentry_sdk.init`.
    """
    import sentry_sdk  # noqa: PLC0415  # not for those who do not use it

    sentry_sdk.init(
        dsn=dsn,
        environment=settings.env,
        server_name=settings.instance_id,
        # Only what the log says: no bodies, no headers, no variables, in which passwords and addresses are.
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
