"""Safeguards of the Python client."""

from typing import Final

from tests.mutations.mutation import Mutation

_PACKAGE: Final = "clients/python/src/waybill"
_TESTS: Final = "tests/unit/clients/core"
_RETRIES: Final = f"{_TESTS}/test_retries.py"
_HOSTILE: Final = f"{_TESTS}/test_hostile_servers.py"

CALLING: Final = (
    Mutation(
        name="creation-without-key",
        safety="the retries of a creation make one shipment",
        file=f"{_PACKAGE}/_async/shipments.py",
        old='headers={"Idempotency-Key": key}',
        new="headers={} if key else {}",
        tests=(f"{_RETRIES}::test_each_creation_has_a_key_of_its_own[async]",),
    ),
    Mutation(
        name="everything-repeated",
        safety="a call that may have been executed is repeated only if that is safe",
        file=f"{_PACKAGE}/retries.py",
        old="return self._is_safe or not may_be_executed",
        new="return True",
        tests=(
            f"{_RETRIES}::test_a_call_that_may_have_been_executed_is_not_repeated_if_that_is_not_safe[sync-cut]",
        ),
    ),
    Mutation(
        name="lost-attempt-forgotten",
        safety="a failure says that an earlier attempt may have been executed",
        file=f"{_PACKAGE}/retries.py",
        old="failure.is_sent |= self._may_be_executed",
        new="failure.is_sent |= False",
        tests=(f"{_RETRIES}::test_a_server_that_went_away_after_an_attempt_may_have_executed_it",),
    ),
    Mutation(
        name="deletion-of-nothing-done",
        safety="a DELETE that finds nothing has succeeded only if it may be its own doing",
        file=f"{_PACKAGE}/retries.py",
        old="return self._may_be_executed and removes",
        new="return removes",
        tests=(f"{_RETRIES}::test_a_deletion_of_nothing_fails[sync]",),
    ),
    Mutation(
        name="retry-after-ignored",
        safety="a retry waits as long as the response says",
        file=f"{_PACKAGE}/retries.py",
        old="asked_s + jitter * 0.25",
        new="jitter",
        tests=(f"{_RETRIES}::test_a_retry_waits_as_long_as_the_response_says[sync-seconds]",),
    ),
    Mutation(
        name="wrong-password-repeated",
        safety="a wrong password is one failed login, not two",
        file=f"{_PACKAGE}/_async/connection.py",
        old=' or failure.code == "INVALID_CREDENTIALS"',
        new="",
        tests=(f"{_RETRIES}::test_a_wrong_password_is_tried_once[async]",),
    ),
    Mutation(
        name="wrong-password-tried-by-each-thread",
        safety="calls that wait for one login share its refusal",
        file=f"{_PACKAGE}/_sync/connection.py",
        old="if self._refusal is not None and self._refusal is not known:",
        new="if self._refusal is not None and self._refusal is known:",
        tests=(f"{_HOSTILE}::test_threads_try_a_wrong_password_once",),
    ),
    Mutation(
        name="cancellation-of-nothing-done",
        safety="a cancellation that finds no shipment has not succeeded",
        file=f"{_PACKAGE}/retries.py",
        old=" and self._operation is not CANCEL_SHIPMENT",
        new="",
        tests=(f"{_HOSTILE}::test_a_cancellation_of_an_unknown_shipment_is_not_done[async]",),
    ),
    Mutation(
        name="redirect-followed",
        safety="a token reaches no other host",
        file=f"{_PACKAGE}/_async/connection.py",
        old="follow_redirects=False",
        new="follow_redirects=True",
        tests=(f"{_TESTS}/test_credentials.py::test_a_redirect_is_not_followed[async]",),
    ),
    Mutation(
        name="instant-without-zone",
        safety="an instant that could mean any hour is refused",
        file=f"{_PACKAGE}/values.py",
        old="if offset is None:",
        new="if instant is None:",
        tests=(f"{_TESTS}/test_values.py::test_an_instant_without_a_zone_is_refused",),
    ),
    Mutation(
        name="signature-not-checked",
        safety="a webhook message whose signature is invalid is refused",
        file=f"{_PACKAGE}/webhooks.py",
        old="if all(problems):",
        new="if not problems:",
        tests=(f"{_TESTS}/test_webhooks.py::test_a_changed_body_is_refused",),
    ),
)
