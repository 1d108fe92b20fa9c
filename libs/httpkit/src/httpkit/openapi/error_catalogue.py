"""The meaning of each error code, for the OpenAPI document and the guide."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from httpkit.response.error_codes import ErrorCode

ERROR_CATALOGUE: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.API_KEY_LIMIT_REACHED: "The user has the maximum number of API keys: remove one.",
        ErrorCode.API_KEY_NOT_FOUND: "The user has no API key with that id.",
        ErrorCode.AUTHENTICATION_REQUIRED: "The request has no token, and the route requires one.",
        ErrorCode.CANNOT_RESUME: "The partition is not halted, or cannot resume from there.",
        ErrorCode.DEAD_LETTER_DISCARDED: "The dead letter is discarded already; its first reason stays.",
        ErrorCode.DELIVERY_HELD: "The delivery is held, and is sent by a replay only.",
        ErrorCode.DELIVERY_NOT_FOUND: "The endpoint has no such delivery, or not any more.",
        ErrorCode.EVENT_NOT_FOUND: "No such event, or not processed yet: retry after Retry-After seconds.",
        ErrorCode.FIELDS_TOO_LARGE: "The header fields are too long, or too many.",
        ErrorCode.FORBIDDEN: "The role does not allow this, or the resource belongs to another client.",
        ErrorCode.IDEMPOTENCY_CONFLICT: "The key or event id was used with another payload, which stays.",
        ErrorCode.INCOMPLETE_DIMENSIONS: "The shipment has no dimensions yet: send all three together.",
        ErrorCode.INTERNAL_ERROR: "An error on our side; our logs have it under the X-Request-Id.",
        ErrorCode.INVALID_CREDENTIALS: "The user name, the password or the API key is wrong.",
        ErrorCode.INVALID_JSON: "The body is not valid JSON, or JSON that is not accepted.",
        ErrorCode.INVALID_TOKEN: "The token is invalid, expired or revoked: log in again.",
        ErrorCode.INVALID_TRANSITION: "The shipment's current status does not allow this change.",
        ErrorCode.LAST_ADMIN: "No admin would be left to manage users: create another admin first.",
        ErrorCode.LINKS_ENDED: "The shipment ended more than 30 days ago: it gets no links any more.",
        ErrorCode.LINK_NOT_FOUND: "The shipment has no link with that id.",
        ErrorCode.METHOD_NOT_ALLOWED: "The path does not support this method; Allow lists those it supports.",
        ErrorCode.NOT_ACCEPTABLE: "The route returns JSON, which Accept excludes.",
        ErrorCode.NOT_FOUND: "There is nothing at this path.",
        ErrorCode.NOT_THE_LATEST: "Only the last event of the shipment's history can be retracted.",
        ErrorCode.OWN_ACCOUNT: "Admins cannot disable or demote themselves; another admin can.",
        ErrorCode.PAYLOAD_TOO_LARGE: "The body is longer than the route accepts.",
        ErrorCode.PRECONDITION_FAILED: "If-Match or If-None-Match failed: read the resource again.",
        ErrorCode.QUARANTINE_FULL: "The maximum number of shipments is quarantined: release one.",
        ErrorCode.RATE_LIMITED: "The rate limit is exceeded: retry after Retry-After seconds.",
        ErrorCode.REPLAY_NOT_FOUND: "The endpoint has no such replay, or not any more.",
        ErrorCode.REQUEST_TIMEOUT: "The body took too long to arrive.",
        ErrorCode.RETRACTED: "The event was retracted, and stays so; another time is another event.",
        ErrorCode.SERVICE_UNAVAILABLE: "Temporarily unavailable: retry after Retry-After seconds.",
        ErrorCode.SHIPMENT_NOT_FOUND: "There is no such shipment.",
        ErrorCode.SOURCE_NOT_ALLOWED: "The account may not report this source; an admin can change that.",
        ErrorCode.TOO_MANY_ATTEMPTS: "Too many failed logins: retry after Retry-After seconds.",
        ErrorCode.TOO_MANY_LINKS: "The shipment has the maximum number of links, five: delete one.",
        ErrorCode.TRACKING_NUMBER_TAKEN: "The tracking number belongs to another shipment: try again.",
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: "The body's Content-Type or Content-Encoding is not supported.",
        ErrorCode.URI_TOO_LONG: "Path and query together are too long.",
        ErrorCode.USERNAME_TAKEN: "A user with that name exists already.",
        ErrorCode.USER_NOT_FOUND: "There is no user with that name.",
        ErrorCode.VALIDATION_ERROR: "Validation failed; `details` lists every problem.",
        ErrorCode.WEBHOOK_LIMIT_REACHED: "The client has too many endpoints, or the endpoint replays.",
        ErrorCode.WEBHOOK_NOT_FOUND: "There is no endpoint with that id.",
        ErrorCode.WEBHOOK_PAUSED: "The endpoint is paused: set its state to active first.",
    }
)
