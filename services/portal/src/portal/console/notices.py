"""Notices of acts: a page is reached with `?notice=CODE` after one, and says what was done."""

from collections.abc import Mapping
from typing import Final

from portal.web.languages import message

NOTICES: Final[Mapping[str, str]] = {
    "discarded": message("The dead letter is discarded."),
    "logged_out": message("You are logged out."),
    "quarantined": message("The shipment is quarantined. Processors know within seconds."),
    "released": message("The shipment is released. Replay its dead letters to apply them."),
    "replayed": message("The dead letter is in the log again. Its outcome follows within seconds."),
    "resuming": message("The partition resumes within seconds."),
}
