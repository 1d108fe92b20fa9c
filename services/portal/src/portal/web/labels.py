"""Words for statuses and checkpoints, and the filters by which templates show them and times."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from babel.numbers import format_decimal

from domain.shipments.checkpoint import LABELS
from domain.shipments.status import Status
from portal.web.languages import Language, message
from portal.web.moments import ago, moment
from portal.web.numbers import figure, instant_of

STATUS_LABELS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.CREATED: message("Created"),
        Status.PICKED_UP: message("Picked up"),
        Status.IN_WAREHOUSE: message("In warehouse"),
        Status.IN_TRANSIT: message("In transit"),
        Status.DELIVERED: message("Delivered"),
        Status.CANCELLED: message("Cancelled"),
    }
)


def status_label(status: str, language: Language) -> str:
    """Return the words for a status; one that is not known is shown as it is."""
    known = status in list(Status)
    return language.gettext(STATUS_LABELS[Status(status)]) if known else status


def checkpoint_label(code: str, language: Language) -> str:
    """Return the words for the code of a checkpoint; a code of a client's own is shown as it is."""
    labels = LABELS.get(code)
    return code if labels is None else labels[language.code]


def filters_of(language: Language) -> dict[str, Callable[..., Any]]:
    """Return the filters of templates in a language."""
    return {
        "figure": partial(figure, locale=language.locale),
        "instant": instant_of,
        "ago": partial(ago, locale=language.locale),
        "checkpoint_label": partial(checkpoint_label, language=language),
        "moment": partial(moment, locale=language.locale),
        "number": partial(format_decimal, locale=language.locale),
        "status_label": partial(status_label, language=language),
    }
