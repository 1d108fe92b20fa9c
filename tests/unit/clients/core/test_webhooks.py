"""Messages of webhooks, as Waybill's own sender signs them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from waybill import InvalidWebhook, webhooks
from webhooks.sending.signing import signed_headers

SECRET = "whsec_" + "A" * 43 + "="
OTHER = "whsec_" + "B" * 43 + "="
ID = "msg_2kzv5m7rj3w6q4ynx5gd7tbhsapc2fue"
MESSAGE = {
    "type": "shipment.corrected",
    "timestamp": "2026-11-02T14:15:00.000Z",
    "data": {
        "tracking_number": "99M-GMPWC6W7SP2G",
        "client_id": "client_001",
        "version": 3,
        "current_status": "created",
        "previous_status": "picked_up",
        "event": {
            "event_id": "evt_1_retracted",
            "status": "created",
            "timestamp": "2026-11-02T14:15:00.000Z",
            "source": "api",
            "location": None,
            "notes": None,
            "retracts": "evt_1",
            "reason": "the parcel beside it was meant — ñ",
        },
    },
}
BODY = json.dumps(MESSAGE, ensure_ascii=False).encode()


def headers(body: bytes = BODY, *secrets: str, age_s: float = 0) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return dict(signed_headers(ID, body, secrets or (SECRET,), at))


def test_a_message_is_returned_once_its_signature_is_valid() -> None:
    message = webhooks.verify(BODY, headers(), SECRET)
    assert (message.id, message.type, message.data.version) == (ID, "shipment.corrected", 3)
    assert message.data.event is not None
    assert message.data.event.retracts == "evt_1"
    assert webhooks.verify(BODY.decode(), headers(), SECRET) == message


def test_a_thin_message_has_the_number_and_the_version() -> None:
    thin = json.dumps(MESSAGE | {"data": {"tracking_number": "99M-GMPWC6W7SP2G", "version": 3}}).encode()
    data = webhooks.verify(thin, headers(thin), SECRET).data
    assert (data.version, data.event, data.current_status) == (3, None, None)


def test_names_of_headers_have_any_case() -> None:
    titled = {name.title(): value for name, value in headers().items()}
    assert webhooks.verify(BODY, titled, SECRET).id == ID


def test_both_secrets_of_a_rotation_verify() -> None:
    both = headers(BODY, SECRET, OTHER)
    assert webhooks.verify(BODY, both, OTHER) == webhooks.verify(BODY, both, SECRET)
    assert webhooks.verify(BODY, headers(), [OTHER, SECRET]).id == ID


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,***"},
        {"webhook-signature": "nothing"},
        {"webhook-signature": ""},
        {"webhook-id": "msg_of_another"},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "inf"},
        {"webhook-timestamp": "nan"},
    ],
)
def test_a_forged_message_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(InvalidWebhook):
        webhooks.verify(BODY, headers() | changed, SECRET)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_message_without_a_header_is_refused(name: str) -> None:
    given = headers()
    del given[name]
    with pytest.raises(InvalidWebhook, match="Missing required headers"):
        webhooks.verify(BODY, given, SECRET)


@pytest.mark.parametrize("age_s", [-400, 400])
def test_a_message_of_another_time_is_refused(age_s: float) -> None:
    with pytest.raises(InvalidWebhook, match="timestamp too"):
        webhooks.verify(BODY, headers(age_s=age_s), SECRET)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no JSON", b'{"type": 3}', b"null"])
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidWebhook, match="the body is no message"):
        webhooks.verify(body, headers(body), SECRET)


def test_a_changed_body_is_refused() -> None:
    for body in (BODY + b" ", BODY.replace(b"3", b"4"), b"\xff"):
        with pytest.raises(InvalidWebhook):
            webhooks.verify(body, headers(), SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_A", "whsec_é", []])
def test_a_secret_that_is_none_is_not_shown(secret: str | list[str]) -> None:
    with pytest.raises(ValueError, match="secret") as refused:
        webhooks.verify(BODY, headers(), secret)
    assert not isinstance(refused.value, InvalidWebhook)


@pytest.mark.parametrize("form", [bytearray, memoryview])
def test_a_body_may_be_in_a_buffer(form: type) -> None:
    assert webhooks.verify(form(BODY), headers(), SECRET).id == ID


@pytest.mark.parametrize("body", [MESSAGE, None])
def test_a_body_that_was_parsed_already_is_a_mistake(body: object) -> None:
    with pytest.raises(TypeError, match="the body is needed as it came"):
        webhooks.verify(body, headers(), SECRET)  # type: ignore[arg-type]


def test_headers_of_bytes_are_a_mistake() -> None:
    raw = {name.encode(): value.encode() for name, value in headers().items()}
    with pytest.raises(TypeError, match="headers must be texts"):
        webhooks.verify(BODY, raw, SECRET)  # type: ignore[arg-type]
