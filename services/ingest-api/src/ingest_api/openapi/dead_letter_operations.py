"""How sending dead letters again is described."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from domain.errors import ErrorCode
from httpkit.openapi.identifiers import DEAD_LETTER, DEAD_LETTER_IN_PATH, EVENT
from httpkit.openapi.operations import Key, Operation, ResponseSpec, json_content
from ingest_api.openapi.answers import Replayed, ReplayedBatch
from ingest_api.schemas.events import REPLAY

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/dead-letters/{dead_letter_id}/replay"): Operation(
        name="replayDeadLetter",
        tag="dead letters",
        summary="Send a dead letter again",
        description=(
            "Puts the record back into the log as it was, to be judged again. Doing it twice is harmless: an "
            "applied event is applied once. Who wanted it is noted when the record's turn comes."
        ),
        parameters=(DEAD_LETTER_IN_PATH,),
        replies={
            202: ResponseSpec(
                "Durably accepted; `Location` where it is an event that can be looked up.",
                json_content(
                    TypeAdapter(Replayed),
                    event={"id": DEAD_LETTER, "status": "queued", "event_id": EVENT},
                    unreadable={"id": DEAD_LETTER, "status": "queued"},
                ),
                headers=("Location",),
            ),
        },
        errors=(ErrorCode.NOT_FOUND,),
    ),
    ("POST", "/dead-letters/replay"): Operation(
        name="replayDeadLetters",
        tag="dead letters",
        summary="Send many dead letters again",
        description=(
            "Up to 100 in any order: those of one shipment are put back in the order in which they stood in "
            "the log. Each is answered for by itself; 503 if none is back. Repeating it is harmless."
        ),
        body=json_content(REPLAY, two={"ids": [DEAD_LETTER, "dl_7_48214"]}),
        replies={
            202: ResponseSpec(
                "What became of each, in the order of the request.",
                json_content(
                    TypeAdapter(ReplayedBatch),
                    queued={
                        "received": 2,
                        "queued": 1,
                        "items": [
                            {"id": DEAD_LETTER, "status": "queued", "event_id": EVENT},
                            {"id": "dl_7_48214", "status": "not_found"},
                        ],
                    },
                ),
            ),
        },
    ),
}
