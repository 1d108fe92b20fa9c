"""Receiving webhooks: verify a message before anything is done with it."""

import json
from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from waybill.errors import WaybillError
from waybill.models import WebhookMessage


class InvalidWebhook(WaybillError):
    """The request is no message of Waybill, or not one of now: answer 400, and do nothing with it."""


def verify(payload: bytes | str, headers: Mapping[str, str], secret: str | Iterable[str]) -> WebhookMessage:
    """Return the message of a request, once its signature was found valid (Standard Webhooks 1.0).

    Args:
        payload: the body, as it came: parsed and written again, it would have another signature.
        headers: of the request, in any case.
        secret: `whsec_…` of the endpoint; several while it is rotated.

    Raises:
        InvalidWebhook: no valid signature, a time more than five minutes from now, or no message.
        ValueError: a secret that is none.
        TypeError: a body that was parsed already, or headers that are no texts.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if not all(isinstance(text, str) for pair in named.items() for text in pair):
        raise TypeError("names and values of headers must be texts")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets:
        raise ValueError("no secret is given")
    verifiers = [_verifier(each) for each in secrets]
    text = payload if isinstance(payload, str) else _decoded(payload)
    problems = [_problem(verifier, text, named) for verifier in verifiers]
    if all(problems):
        raise InvalidWebhook(str(problems[0]))
    try:
        return WebhookMessage.model_validate({**json.loads(text), "id": named["webhook-id"]})
    except (ValidationError, ValueError, TypeError) as error:
        raise InvalidWebhook(f"the signature is valid, but the body is no message: {error}") from None


def _verifier(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except Exception:  # noqa: BLE001 - base64, an empty key: whatever it is, the secret must not be shown
        raise ValueError("the secret is none: it begins with whsec_, and base64 follows") from None


def _decoded(payload: bytes | bytearray | memoryview) -> str:
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise TypeError(f"the body is needed as it came, in bytes or text, not as {type(payload).__name__}")
    try:
        return bytes(payload).decode()
    except UnicodeDecodeError:
        raise InvalidWebhook("the body is not UTF-8") from None


def _problem(verifier: Webhook, text: str, headers: Mapping[str, str]) -> str | None:
    """Return why a message is not valid by one secret; None: it is."""
    try:
        verifier.verify(text, dict(headers), json_parse=False)
    except WebhookVerificationError as error:
        return str(error)
    except ValueError:
        return "Invalid Signature Headers"  # as the library says of others
    return None
