"""The fault matrix: each fault, and the guarantees under it.

A test proves a row when it is marked `@pytest.mark.fault(Row.…)`, wherever it stands. How long recovery took
it says through the fixture `recovery`. `make faults` runs all of them and prints the table.
"""

from enum import Enum


class Row(Enum):
    """One row: the fault, and the guarantees while it lasts and after it."""

    INGEST_KILLED = "ingest-api killed between two steps", "the client repeats; one applied event"
    INGEST_STOPPED = (
        "ingest-api stopped while it is posted to",
        "what is in flight is answered; 202 means kept",
    )
    BROKERS_DOWN = "all brokers down, then back", "503 in time, memory flat; nothing lost, nobody restarted"
    LEADER_CHANGE = "leader or coordinator moves to another broker", "in order, nothing lost or twice"
    REPLICAS_MISSING = "fewer in-sync replicas than the minimum", "503, never 202; afterwards as before"
    PRODUCER_BROKEN = "the producer's sequence is out of order", "a new producer; nothing lost or twice"
    PROCESSOR_KILLED = "processor killed between two steps", "redelivery converges; each event once"
    PROCESSOR_FROZEN = (
        "processor frozen beyond its session, then awake",
        "it changes nothing; the other continues",
    )
    PROCESSOR_STOPPED = "processor stopped by SIGTERM", "drains, commits and leaves within its bound"
    PROCESSORS_SCALED = "processors from 1 to 5 to 2 under load", "nothing lost or twice, order per shipment"
    LOOP_STALLED = "event loop stalled beyond the session timeout", "it rejoins and continues"
    NOTHING_MOVES = "records wait and nothing moves", "the watchdog ends the process"
    MONGO_AWAY = "MongoDB killed, cut off or silent", "retried in place, no dead letter, no offset passed"
    PRIMARY_GONE = (
        "MongoDB's primary killed, stepped down or frozen; a secondary far behind",
        "another is elected; nothing lost or twice, nobody restarted",
    )
    MAJORITY_GONE = (
        "a majority of MongoDB's members away, then back",
        "accepted and not applied; what is left is shown",
    )
    MONGO_ANSWER_LOST = "MongoDB's answer lost after it applied", "repeating changes nothing"
    REDIS_AWAY = "Redis killed, emptied, silent or replaced", "slower, never wrong; logins still throttled"
    REDIS_FAILED_OVER = (
        "a replica of Redis is promoted, however far behind",
        "slower for seconds, never wrong; found by every service",
    )
    REDIS_REFUSES = "Redis refuses: READONLY, out of memory", "as if it were away, until it accepts again"
    REDIS_MOVED = "slots of Redis move; scripts are flushed", "nothing is forgotten"
    POISON = "a record that cannot be read or breaks the code", "dead letter with its bytes; the next go on"
    FOREIGN_RECORDS = (
        "records that foreign producers write: headers, codecs, places, damage",
        "a dead letter, or its partition halts and can skip exactly it",
    )
    PROCESS_KILLER = "a record that kills the process", "dead letter after bounded attempts"
    POISON_RUN = "a run of dead letters", "the partition stops, says why, and can be resumed"
    DEAD_LETTERS_AWAY = (
        "the dead-letter topic takes nothing",
        "the partition waits; its offset is not committed",
    )
    DUPLICATES = "the same event in a batch, later, after a flush, at two replicas", "applied once"
    DISORDER = "events out of order and late", "final state as the model says; the illegal are recorded"
    RETENTION = "retention passes the committed offset", "the partition stops and says so; no silent jump"
    MONGO_PUT_BACK = "MongoDB is emptied, or put back to an older state", "what the log has is applied again"
    TOPIC_RECREATED = "the topic is created again", "no record is taken for one of the old topic"
    LOG_GROWS = "the log goes on in more partitions, killed meanwhile", "nothing lost, twice or out of order"
    CLOCK_SKEW = "a node's clock is an hour off", "order as the log's; tokens still hold"
    DISK_FULL = "a store cannot write any more", "503 or retry; nothing lost once it can"
    DISK_SLOW = "a store that stutters", "slower, never wrong"
    SLOW_CLIENTS = "half-sent heads and bodies", "cut off in time; others are served"
    WEBHOOKS_KILLED = "webhooks killed between two steps", "sent again under the same id; nothing lost"
    WEBHOOKS_FROZEN = (
        "webhooks frozen past its lease, then awake",
        "it sends and records nothing more; the other continues",
    )
    WEBHOOKS_STORES_AWAY = (
        "MongoDB or Kafka away while webhooks are sent",
        "nothing lost; the same ids",
    )
    RECEIVERS_FAIL = (
        "receivers that hang, trickle, reset, refuse or answer 500",
        "tried again in time, or paused; others are not delayed",
    )
    UPGRADE = (
        "a release rolls over the one before, replica by replica, and back",
        "nothing lost or twice; tokens, cursors, keys and links stay valid",
    )
    REGION_LOST = (
        "a region lost under load, its disks back later",
        "what the mirror had, then all of it; nothing twice",
    )
    OVERLOAD = "three times what can be processed", "sheds load, recovers; nothing acknowledged is lost"

    def __init__(self, fault: str, must_hold: str) -> None:
        self.fault = fault
        self.must_hold = must_hold
