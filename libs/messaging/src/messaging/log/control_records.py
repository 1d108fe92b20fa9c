"""Control records: records of the log that carry no command, but say something about the log itself."""

from typing import Final, Protocol

from messaging.codec import Headers, header

CLOSED_BYTES: Final = 100
"""`max.message.bytes` of a closed topic: an end marker fits, no command does (61 bytes are a batch's own)."""

_END: Final = "waybill-end"
_PROBE: Final = "waybill-probe"


class Fetched(Protocol):
    """A record as it was fetched from the log."""

    @property
    def key(self) -> bytes | None:
        """The key."""

    @property
    def value(self) -> bytes | None:
        """The value."""

    @property
    def headers(self) -> Headers:
        """The headers."""


def end_marker(next_partitions: int) -> Headers:
    """Return the headers of the last record of a partition; it has no key, and nothing in its value."""
    return [(_END, str(next_partitions).encode())]


def probe() -> Headers:
    """Return the headers of a record that a closed topic refuses, and that means nothing in an open one."""
    return [(_PROBE, b"-" * CLOSED_BYTES)]


def is_end_marker(record: Fetched) -> bool:
    """Say whether a record is the last one of its partition."""
    return _is_bare(record) and header(record.headers, _END) is not None


def is_control(record: Fetched) -> bool:
    """Say whether a record is about the log itself, and carries no command."""
    return _is_bare(record) and (
        header(record.headers, _END) is not None or header(record.headers, _PROBE) is not None
    )


def _is_bare(record: Fetched) -> bool:
    return record.key is None and not record.value
