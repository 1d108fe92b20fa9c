"""Instants as Waybill writes them: UTC, milliseconds, RFC 3339 with `Z`."""

from datetime import UTC, datetime


def format_timestamp(instant: datetime) -> str:
    """Return an aware instant as `2026-01-02T03:04:05.678Z`; what is finer is cut off."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def to_milliseconds(instant: datetime) -> datetime:
    """Return an aware instant in UTC, cut to milliseconds, the finest that the store keeps."""
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
