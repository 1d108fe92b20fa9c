"""What each error code means to whoever gets it: for the contract and the guide."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.errors import ErrorCode

MEANING: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.API_KEY_LIMIT_REACHED: "The user has as many API keys as one may have: remove one.",
        ErrorCode.API_KEY_NOT_FOUND: "The user has no API key of that id.",
        ErrorCode.AUTHENTICATION_REQUIRED: "The route needs a token, and there is none.",
        ErrorCode.CANNOT_RESUME: "The partition does not stand still, or cannot go on from there.",
        ErrorCode.DEAD_LETTER_DISCARDED: "Somebody has discarded it already, and the first reason stands.",
        ErrorCode.EVENT_NOT_FOUND: "No such event, or not processed yet; Retry-After says when to ask again.",
        ErrorCode.FIELDS_TOO_LARGE: "The header fields are more than what is read.",
        ErrorCode.FORBIDDEN: "The caller's role does not allow this, or the thing belongs to somebody else.",
        ErrorCode.IDEMPOTENCY_CONFLICT: "The same key or event id with another payload: the first stands.",
        ErrorCode.INCOMPLETE_DIMENSIONS: "The shipment has no dimensions yet: send all three together.",
        ErrorCode.INTERNAL_ERROR: "A fault of ours; it is in our logs under the X-Request-Id of the answer.",
        ErrorCode.INVALID_CREDENTIALS: "The user name, the password or the API key is wrong.",
        ErrorCode.INVALID_JSON: "The body is no JSON, or JSON that is not accepted.",
        ErrorCode.INVALID_TOKEN: "The token is not valid, or not any more: log in again.",
        ErrorCode.INVALID_TRANSITION: "The shipment's status does not allow this step.",
        ErrorCode.LAST_ADMIN: "Nobody would be left who may manage users: make another admin first.",
        ErrorCode.METHOD_NOT_ALLOWED: "The path does not know this method; Allow says which it knows.",
        ErrorCode.NOT_ACCEPTABLE: "The route answers with JSON, which Accept excludes.",
        ErrorCode.NOT_FOUND: "There is nothing at this path.",
        ErrorCode.OWN_ACCOUNT: "Admins cannot disable or demote themselves: another admin can.",
        ErrorCode.PAYLOAD_TOO_LARGE: "The body is longer than the route reads.",
        ErrorCode.PRECONDITION_FAILED: "If-Match or If-None-Match does not hold: read it again, then decide.",
        ErrorCode.QUARANTINE_FULL: "As many shipments are set aside as may be: release one.",
        ErrorCode.RATE_LIMITED: "More requests than the budget allows; Retry-After says when to come again.",
        ErrorCode.REQUEST_TIMEOUT: "The body took too long to arrive.",
        ErrorCode.SERVICE_UNAVAILABLE: "Not possible right now; repeat it after Retry-After seconds.",
        ErrorCode.SHIPMENT_NOT_FOUND: "There is no such shipment.",
        ErrorCode.SOURCE_NOT_ALLOWED: "The account is bound to other sources; an admin can change that.",
        ErrorCode.TOO_MANY_ATTEMPTS: "Too many failed logins; Retry-After says when to try again.",
        ErrorCode.TRACKING_NUMBER_TAKEN: "The tracking number belongs to another shipment; try again.",
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: "The body's Content-Type or Content-Encoding is not understood.",
        ErrorCode.URI_TOO_LONG: "Path and query together are longer than what is read.",
        ErrorCode.USERNAME_TAKEN: "There is a user of that name.",
        ErrorCode.USER_NOT_FOUND: "There is no user of that name.",
        ErrorCode.VALIDATION_ERROR: "The request does not have the right form; details name every fault.",
    }
)
