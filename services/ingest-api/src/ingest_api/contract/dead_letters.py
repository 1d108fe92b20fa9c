"""How POST /dead-letters/{dead_letter_id}/replay is described."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from domain.errors import ErrorCode
from httpkit.identifiers import DEAD_LETTER, DEAD_LETTER_IN_PATH, EVENT
from httpkit.operations import Key, Operation, Reply, json_content
from ingest_api.contract.replies import Replayed

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/dead-letters/{dead_letter_id}/replay"): Operation(
        name="replayDeadLetter",
        tag="dead letters",
        summary="Send a dead letter again",
        description=(
            "Puts the record back into the log as it was, to be judged again. Doing it twice is harmless: an "
            "applied event is applied once."
        ),
        parameters=(DEAD_LETTER_IN_PATH,),
        replies={
            202: Reply(
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
}
