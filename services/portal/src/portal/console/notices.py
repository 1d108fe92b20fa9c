"""Notices of acts: a page is reached with `?notice=CODE` after one, and says what was done."""

from collections.abc import Mapping
from typing import Final

from portal.web.languages import message

NOTICES: Final[Mapping[str, str]] = {
    "accepted": message("This is accepted, and will be done within seconds."),
    "cancelled": message("The shipment is cancelled."),
    "delivery_due": message("The delivery is sent again now."),
    "discarded": message("The dead letter is discarded."),
    "key_removed": message("The key is removed."),
    "link_removed": message("The link is removed."),
    "logged_out": message("You are logged out."),
    "password_changed": message("Your password is changed."),
    "password_set": message("The password is set."),
    "quarantined": message("The shipment is quarantined. Processors know within seconds."),
    "released": message("The shipment is released. Replay its dead letters to apply them."),
    "replayed": message("The dead letter is in the log again. Its outcome follows within seconds."),
    "resuming": message("The partition resumes within seconds."),
    "retracted": message("The event is retracted."),
    "user_changed": message("The user is changed."),
    "user_created": message("The user is made."),
    "user_disabled": message("The user is disabled."),
    "user_enabled": message("The user is enabled."),
    "webhook_changed": message("The endpoint is changed."),
    "webhook_deleted": message("The endpoint is deleted."),
    "webhook_paused": message("The endpoint is paused."),
    "webhook_resumed": message("The endpoint is active. What was held is sent by a replay only."),
}
