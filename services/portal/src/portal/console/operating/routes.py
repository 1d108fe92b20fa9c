"""The routes of the operators' pages."""

from typing import Final

from httpkit.routes import Route
from portal.console.operating import (
    actions,
    dead_letter_acts,
    dead_letters,
    events,
    overview,
    partitions,
    quarantine,
    search,
)

OPERATING_ROUTES: Final = (
    Route("GET", overview.PATH, overview.show_overview, None, is_json=False),
    Route("GET", f"{overview.PATH}/live", overview.show_live_part, None, is_json=False),
    Route("GET", partitions.PATH, partitions.show_partitions, None, is_json=False),
    Route("GET", partitions.PARTITION_PATH, partitions.show_partition, None, is_json=False),
    Route("POST", f"{partitions.PARTITION_PATH}/resume", partitions.resume, None, is_json=False),
    Route("GET", dead_letters.PATH, dead_letters.show_dead_letters, None, is_json=False),
    Route("POST", f"{dead_letters.PATH}/replay", dead_letter_acts.replay, None, is_json=False),
    Route("POST", f"{dead_letters.PATH}/discard", dead_letter_acts.discard, None, is_json=False),
    Route(
        "GET", f"{dead_letters.PATH}/{{dead_letter_id}}", dead_letters.show_dead_letter, None, is_json=False
    ),
    Route("GET", quarantine.PATH, quarantine.show_quarantine, None, is_json=False),
    Route("POST", f"{quarantine.PATH}/add", quarantine.add, None, is_json=False),
    Route("POST", f"{quarantine.PATH}/release", quarantine.release, None, is_json=False),
    Route("GET", actions.PATH, actions.show_actions, None, is_json=False),
    Route("GET", "/console/events/{event_id}", events.show_event, None, is_json=False),
    Route("GET", "/console/search", search.search, None, is_json=False),
)
