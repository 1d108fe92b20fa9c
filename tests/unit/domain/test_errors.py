"""The error tree: what is worth another try."""

import pytest

from domain import errors
from domain.errors import PoisonRecord, TransientError, WaybillError

RETRIABLE = {
    "TransientError",
    "StoreUnavailable",
    "TransactionAborted",
    "CommitUnknown",
    "NotItsTurn",
    "NotPublished",
    "PublishUnknown",
}
FINAL = {
    "WaybillError",
    "BusinessError",
    "InvalidTrackingNumber",
    "InvalidEventId",
    "LastAdmin",
    "TooMuchToRead",
    "Fenced",
    "DeadLetterRejected",
    "StaleKnowledge",
    "PoisonRecord",
}
TREE = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, WaybillError)]


def test_every_error_is_known_to_be_retriable_or_not() -> None:
    assert {error.__name__ for error in TREE} == RETRIABLE | FINAL


@pytest.mark.parametrize("error", TREE)
def test_an_error_says_whether_the_same_call_may_succeed_later(error: type[WaybillError]) -> None:
    assert issubclass(error, TransientError) is (error.__name__ in RETRIABLE)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert all(error.__name__ in (errors.__doc__ or "") for error in TREE)


def test_a_poison_record_says_why() -> None:
    error = PoisonRecord("not JSON")
    assert error.reason == str(error) == "not JSON"
