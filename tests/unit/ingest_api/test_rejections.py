"""Reasons of rejections as error codes of the API."""

import pytest

from domain.shipments.rejection import RejectionReason
from ingest_api.handlers.outcomes import rejection_error


@pytest.mark.parametrize("reason", RejectionReason)
def test_every_reason_is_an_error_code_of_the_same_spelling(reason: RejectionReason) -> None:
    error = rejection_error(reason, {"Location": "/events/1"})
    assert (error.code.value, error.headers) == (reason.value, {"Location": "/events/1"})


def test_a_rejection_may_have_another_message_and_status() -> None:
    error = rejection_error(RejectionReason.IDEMPOTENCY_CONFLICT, {}, message="used already", status=409)
    assert (error.message, error.status) == ("used already", 409)
    usual = rejection_error(RejectionReason.IDEMPOTENCY_CONFLICT, {})
    assert (usual.message, usual.status) == ("another payload of this event came first, and counts", 422)
