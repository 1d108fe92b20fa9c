"""Descriptions of the replay of dead letters."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.identifiers import DEAD_LETTER, DEAD_LETTER_IN_PATH, EVENT
from httpkit.openapi.operations import Key, Operation, ResponseSpec, json_content
from httpkit.response.error_codes import ErrorCode
from ingest_api.openapi.response_models import Replayed, ReplayedBatch
from ingest_api.schemas.events import REPLAY

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/dead-letters/{dead_letter_id}/replay"): Operation(
        name="replayDeadLetter",
        tag="dead letters",
        summary="Replay a dead letter",
        description=(
            "Puts the record back into the log unchanged, to be processed again. Repeating the call is "
            "harmless: an event is applied once. The operator is recorded when the record is processed."
        ),
        parameters=(DEAD_LETTER_IN_PATH,),
        responses={
            202: ResponseSpec(
                "Durably accepted; `Location` is set if the record is an event.",
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
        summary="Replay several dead letters",
        description=(
            "Up to 100 in any order: those of one shipment are put back in their original order in the log. "
            "Each has its own result; 503 if none was put back. Repeating the call is harmless."
        ),
        body=json_content(REPLAY, two={"ids": [DEAD_LETTER, "dl_7_48214"]}),
        responses={
            202: ResponseSpec(
                "The result of each, in the order of the request.",
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
