"""Crash points of sending: between every two steps of a lane, of the sweeper and of a replay."""

from collections.abc import Sequence
from enum import Enum

from tests.support.crashing.striking import Side, Step
from webhooks.dispatching.backlog import Backlog
from webhooks.sending.sender import Sender
from webhooks.stores.due import MongoDueDeliveries
from webhooks.stores.leases import MongoLeases
from webhooks.stores.replay_jobs import MongoReplayJobs

BEFORE, AFTER = Side.BEFORE, Side.AFTER


class WebhookPoint(Enum):
    """The two steps around each point."""

    # a lane
    AFTER_LEASE = Step(MongoLeases, "acquire", AFTER)
    AFTER_READ = Step(Backlog, "read", AFTER)
    BEFORE_REQUEST = Step(Sender, "attempt", BEFORE)
    AFTER_RESPONSE = Step(Sender, "attempt", AFTER)
    BEFORE_RECORD = Step(MongoDueDeliveries, "record", BEFORE)
    AFTER_RECORD = Step(MongoDueDeliveries, "record", AFTER)
    BEFORE_RELEASE = Step(MongoLeases, "release", BEFORE)
    AFTER_RELEASE = Step(MongoLeases, "release", AFTER)
    BEFORE_PAUSE = Step(MongoLeases, "pause", BEFORE)
    AFTER_PAUSE = Step(MongoLeases, "pause", AFTER)
    # the sweeper
    AFTER_HOLD = Step(MongoDueDeliveries, "hold_due", AFTER)
    # a replay
    AFTER_SLICE = Step(MongoReplayJobs, "make_due", AFTER)
    AFTER_MARK = Step(MongoLeases, "mark_due", AFTER)
    AFTER_CURSOR = Step(MongoReplayJobs, "note_cursor", AFTER)
    AFTER_WALK = Step(MongoReplayJobs, "note_walked", AFTER)


LANE_POINTS: Sequence[WebhookPoint] = tuple(WebhookPoint)[:8]
