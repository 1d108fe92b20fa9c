"""Responses that the writes share: applied within the wait, or queued."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.operations import Link, ResponseSpec, json_content
from ingest_api.openapi.response_models import Applied, Queued

TO_OUTCOME: Final = Link("getEvent", {"event_id": "$response.body#/event_id"})
LOCATED: Final = ("Location", "Preference-Applied")


def queued(example: Mapping[str, object]) -> ResponseSpec:
    """Describe the 202 of a command that the log has."""
    return ResponseSpec(
        "Durably accepted; the outcome will be at `Location`.",
        json_content(TypeAdapter(Queued), queued=example),
        headers=LOCATED,
        links={"outcome": TO_OUTCOME},
    )


def applied(description: str, **example: Mapping[str, object]) -> ResponseSpec:
    """Describe the 200 of an event that was applied within the wait; `example` has one name."""
    return ResponseSpec(
        description,
        json_content(TypeAdapter(Applied), **example),
        headers=LOCATED,
        links={"outcome": TO_OUTCOME},
    )
