"""Message and exit code of `rebuild` for each error."""

import pytest

from domain.errors import StoreUnavailable, WaybillError
from toolbox.rebuild.command import message_and_exit_code
from toolbox.rebuild.replacement import Overtaken, Refused


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (StoreUnavailable("away"), ("error: away", 2)),
        (Overtaken("too late"), ("error: swapped, but too late", 3)),
        (Refused("not yet"), ("refused: not yet", 1)),
        (ValueError("no name"), ("refused: no name", 1)),
    ],
)
def test_only_what_changed_nothing_is_called_refused(
    error: WaybillError | ValueError, expected: tuple[str, int]
) -> None:
    assert message_and_exit_code(error) == expected
