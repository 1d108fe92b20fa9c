"""Collections, indexes and validators of the database, and the migration steps that create them.

Collections must exist before the first transaction, and an index that events change costs about 50 µs per
event: there is exactly one, for lists by status (ADR 0033).
"""

from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from domain.access.permissions import Role
from domain.processing.dead_letter import UNTOUCHED
from storage.mongo.database import Database
from storage.mongo.schema.development_users_step import mark_seeded_users
from storage.mongo.schema.migrations import SCHEMA_MIGRATIONS, Step, migrate

SHIPMENTS: Final = "shipments"
STATUS_EVENTS: Final = "status_events"
PARTITION_FENCES: Final = "partition_fences"
AUTH_USERS: Final = "auth_users"
REVOKED_TOKENS: Final = "revoked_tokens"
DEAD_LETTERS: Final = "dead_letters"
OPERATOR_ACTIONS: Final = "operator_actions"
PARTITION_RESUMPTIONS: Final = "partition_resumptions"
QUARANTINED_SHIPMENTS: Final = "quarantined_shipments"
SHIPMENT_LINKS: Final = "shipment_links"
WEBHOOK_ENDPOINTS: Final = "webhook_endpoints"
WEBHOOK_MESSAGES: Final = "webhook_messages"
WEBHOOK_DELIVERIES: Final = "webhook_deliveries"
WEBHOOK_REPLAYS: Final = "webhook_replays"

BY_ID: Final = [("_id", ASCENDING)]
BY_CREATION: Final = [("created_at", DESCENDING), ("_id", DESCENDING)]
BY_CLIENT: Final = [("client_id", ASCENDING), *BY_CREATION]
BY_STATUS_AND_CLIENT: Final = [("current_status", ASCENDING), *BY_CLIENT]
BY_REFERENCE: Final = [("reference", ASCENDING), *BY_CREATION]
BY_CLIENT_AND_REFERENCE: Final = [("client_id", ASCENDING), *BY_REFERENCE]
BY_RECORDING: Final = [("recorded_at", DESCENDING), ("_id", DESCENDING)]
BY_ACTION_TIME: Final = [("at", DESCENDING), ("_id", DESCENDING)]

BY_SHIPMENT_AND_SLOT: Final = [("tracking_number", ASCENDING), ("slot", ASCENDING)]

BY_ENDPOINT: Final = [("endpoint_id", ASCENDING), *BY_CREATION]
BY_ENDPOINT_AND_DUE: Final = [(name, ASCENDING) for name in ("endpoint_id", "state", "due_at", "version")]
BY_ENDPOINT_AND_SHIPMENT: Final = [
    (name, ASCENDING) for name in ("endpoint_id", "tracking_number", "version")
]

_EXPIRING: Final = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)
# Later than the link ends: the delivery that ended it may still be retracted, and it is valid again.
_LINKS_EXPIRING: Final = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=90 * 86_400)

# Shipments without a reference are not in these, and no event changes one: they cost nothing per event.
_REFERENCED: Final = {"reference": {"$exists": True}}

INDEXES: Final[dict[str, list[IndexModel]]] = {
    SHIPMENTS: [
        *(IndexModel(keys) for keys in (BY_STATUS_AND_CLIENT, BY_CLIENT, BY_CREATION)),
        *(
            IndexModel(keys, partialFilterExpression=_REFERENCED)
            for keys in (BY_REFERENCE, BY_CLIENT_AND_REFERENCE)
        ),
    ],
    STATUS_EVENTS: [],
    PARTITION_FENCES: [],
    AUTH_USERS: [
        IndexModel([("username", ASCENDING)], unique=True),
        IndexModel([("api_keys.id", ASCENDING)], sparse=True),
    ],
    REVOKED_TOKENS: [
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        IndexModel([("recorded_at", ASCENDING)]),
    ],
    DEAD_LETTERS: [
        IndexModel(BY_RECORDING),
        *(IndexModel([(name, ASCENDING), *BY_RECORDING]) for name in ("state", "reason", "tracking_number")),
    ],
    OPERATOR_ACTIONS: [
        IndexModel(BY_ACTION_TIME),
        *(IndexModel([(name, ASCENDING), *BY_ACTION_TIME]) for name in ("action", "target", "by")),
    ],
    PARTITION_RESUMPTIONS: [],
    QUARANTINED_SHIPMENTS: [],
    SHIPMENT_LINKS: [
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel(BY_SHIPMENT_AND_SLOT, unique=True),
        _LINKS_EXPIRING,
    ],
    WEBHOOK_ENDPOINTS: [
        *(IndexModel(keys) for keys in (BY_CLIENT, BY_CREATION)),
        IndexModel([("state", ASCENDING), ("next_due_at", ASCENDING)]),
        IndexModel([("updated_at", ASCENDING)]),
    ],
    WEBHOOK_MESSAGES: [_EXPIRING],
    WEBHOOK_DELIVERIES: [
        IndexModel(BY_ENDPOINT),
        IndexModel(BY_ENDPOINT_AND_DUE),
        IndexModel(BY_ENDPOINT_AND_SHIPMENT),
        IndexModel([("replay_ids", ASCENDING)], partialFilterExpression={"replay_ids": {"$exists": True}}),
        _EXPIRING,
    ],
    WEBHOOK_REPLAYS: [IndexModel(BY_ENDPOINT), IndexModel([("state", ASCENDING)]), _EXPIRING],
    SCHEMA_MIGRATIONS: [],
}
"""Indexes of this release. A change of these, or of the validators, needs a step for existing databases."""

# Only where writes are rare: the two collections that events write are guarded by the rules of `domain`.
VALIDATORS: Final[dict[str, dict[str, Any]]] = {
    AUTH_USERS: {
        "$jsonSchema": {
            "bsonType": "object",
            "required": ["username", "password_hash", "role", "created_at", "updated_at", "disabled"],
            "properties": {
                "username": {"bsonType": "string"},
                "password_hash": {"bsonType": "string"},
                "role": {"enum": [str(role) for role in Role]},
                "client_id": {"bsonType": ["string", "null"]},
                "disabled": {"bsonType": "bool"},
                "allowed_sources": {"bsonType": "array", "items": {"bsonType": "string"}},
                "seeded": {"bsonType": "bool"},
            },
        }
    },
}


OLDER_DEAD_LETTER: Final[dict[str, Any]] = {"headers": [], "replay_of": None, **UNTOUCHED}
"""Default fields of dead letters that were recorded before dead letters had a state."""


async def create_declared(database: Database) -> None:
    """Create what is missing and bring validators up to date; safe to repeat."""
    existing = set(await database.list_collection_names())
    for name, indexes in INDEXES.items():
        if name not in existing:
            await database.create_collection(name)
        if indexes:
            await database[name].create_indexes(indexes)
    for name, validator in VALIDATORS.items():
        await database.command("collMod", name, validator=validator)


async def mark_older_dead_letters(database: Database) -> None:
    """Give dead letters without a state the state of an untouched one."""
    await database[DEAD_LETTERS].update_many({"state": None}, {"$set": OLDER_DEAD_LETTER})


async def bring_users_up_to_date(database: Database) -> None:
    """Create what users need since this release, and mark the development users."""
    await create_declared(database)
    await mark_seeded_users(database, users=AUTH_USERS, revoked=REVOKED_TOKENS)


async def index_all_deliveries_of_shipments(database: Database) -> None:
    """Index the deliveries of a shipment in every state, no longer the pending ones alone."""
    deliveries = database[WEBHOOK_DELIVERIES]
    indexes = await deliveries.index_information()
    for name, index in indexes.items():
        if index["key"] == BY_ENDPOINT_AND_SHIPMENT and "partialFilterExpression" in index:
            await deliveries.drop_index(name)
    await create_declared(database)


STEPS: Final = (
    Step("collections, indexes and validators", create_declared),
    Step("a state for older dead letters", mark_older_dead_letters),
    Step("sources of producers, and a mark on the users of development", bring_users_up_to_date),
    Step("indexes of references", create_declared),
    Step("collections of webhooks", create_declared),
    Step("deliveries of a shipment in every state", index_all_deliveries_of_shipments),
    Step("links to shipments", create_declared),
    # The index by client and status stays until a later release: the one before this still reads with it.
    Step("index by status, then client", create_declared),
)


async def apply_schema(database: Database) -> None:
    """Run the migration steps that are not recorded yet.

    Raises:
        SchemaTooNew: a later release has been here; nothing was changed.
        StoreUnavailable: MongoDB refused or did not answer.
    """
    await migrate(database, STEPS)
