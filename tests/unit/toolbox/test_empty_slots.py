"""The check by the log of a ring of checkpoints with an empty slot, as a retraction leaves it."""

from datetime import timedelta
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument

from storage.mongo.checkpoints import RING
from storage.mongo.documents import Document
from storage.mongo.maintenance.snapshots import Stored
from tests.support.builders import NOON, NUMBER
from toolbox.rebuild.comparison import log_faults
from toolbox.rebuild.log_fold import FoldedLog


def with_ring(*ids: str | None, seconds: int = 0) -> Document:
    """Return a shipment with checkpoints, and empty slots, recorded so late."""
    at = NOON + timedelta(seconds=seconds)
    ring = [None if each is None else {"event_id": each, "recorded_at": at} for each in ids]
    return {"_id": NUMBER, "updated_at": at, RING: ring}


def faults(stored: Document, wanted: Document) -> list[str]:
    log: Any = None  # it is asked about events alone
    return list(log_faults(Stored(RawBSONDocument(encode(stored)), []), FoldedLog(wanted), log))


def test_empty_slots_that_the_log_has_too_are_no_fault() -> None:
    assert faults(with_ring("first", None, seconds=9), with_ring("first", None)) == []


def test_a_slot_that_is_wrongly_empty_or_filled_is_a_fault() -> None:
    for stored, wanted in ((("first", None), ("first", "second")), (("first", "second"), ("first", None))):
        [fault] = faults(with_ring(*stored), with_ring(*wanted))
        assert fault.startswith(f"{RING} is ")
