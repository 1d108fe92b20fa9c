"""Webhooks of a restored database: what was due when the backup was taken is held, not sent."""

from datetime import datetime

from domain.webhooks.delivery import HELD_FOR, DeliveryState, ReplayState
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, WEBHOOK_REPLAYS


async def hold_pending(database: Database, now: datetime) -> int:
    """Hold every pending delivery, end running replays and forget failures; return the number of deliveries.

    They may have been delivered since the backup, hours ago and out of order. Replays send what is held.

    Raises:
        StoreUnavailable: MongoDB did not respond.
    """
    held = {
        "state": DeliveryState.HELD.value,
        "due_at": None,
        "updated_at": now,
        "expires_at": now + HELD_FOR,
    }
    healthy = {"failures": 0, "failing_since": None, "rest_until": None}
    idle = {"next_due_at": None, "lease": None, **healthy}
    with translated():
        deliveries = await database[WEBHOOK_DELIVERIES].update_many(
            {"state": DeliveryState.PENDING.value}, {"$set": held}
        )
        await database[WEBHOOK_REPLAYS].update_many(
            {"state": ReplayState.RUNNING.value}, {"$set": {"state": ReplayState.DONE.value}}
        )
        await database[WEBHOOK_ENDPOINTS].update_many({}, {"$set": idle, "$inc": {"epoch": 1, "work": 1}})
    return deliveries.modified_count
