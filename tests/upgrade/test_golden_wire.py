"""Formats of the last release between processes: the present code reads them, and would write the same bytes.

So a process of either release reads what the other writes, as far as it says the same; a later release may
say more, in the ways that docs/rollback.md allows.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

import jwt
import pytest
from pydantic import SecretStr

from domain.access.permissions import Principal, Role
from domain.processing.dead_letter import RecordPosition, dead_letter_id, position_of
from domain.webhooks.message import full_body, thin_body
from httpkit.middleware.auth import TokenIssuer
from httpkit.settings import AuthSettings
from messaging import codec
from messaging.change_codec import CORRECTED_TYPE, decode_change, encode_change
from messaging.dead_letters.records import DeadLetter, KafkaDeadLetters, replay_in
from messaging.log.partitioning import partition_of
from messaging.topics import Topics
from servicekit.settings import Environment
from storage.mongo.documents import event_of
from storage.mongo.schema import STATUS_EVENTS, STEPS
from storage.mongo.schema.migrations import SCHEMA_MIGRATIONS
from tests.support.api import Json
from tests.support.records import LogRecord, RecordingProducer
from tests.upgrade.golden import bytes_of, golden, golden_documents
from webhooks.sending.signing import signed_headers

PARTITIONS: Final = 12
COMMAND_TYPES: Final = {
    codec.CREATED_TYPE,
    codec.STATUS_TYPE,
    codec.CHECKPOINT_TYPE,
    codec.AMENDED_TYPE,
    codec.RETRACTED_TYPE,
}


def record_of(told: Json, topic: str) -> LogRecord:
    return LogRecord(
        offset=told["offset"],
        value=bytes_of(told["value"]),
        key=bytes_of(told["key"]),
        headers=[(name, bytes_of(text) or b"") for name, text in told["headers"]],
        topic=topic,
        partition=told["partition"],
        timestamp=told["timestamp"],
    )


def records(topic: str) -> list[LogRecord]:
    return [record_of(each, topic) for each in golden("log")[topic]]


def commands() -> list[LogRecord]:
    """Return the records of the log but those that were written damaged."""
    return [each for each in records(Topics().events) if not (each.key or b"").startswith(b"poison")]


def ids_of(kind: str) -> set[str]:
    """Return the events of a kind."""
    told = [json.loads(each.value or b"") for each in commands()]
    return {each["id"] for each in told if each["type"] == kind}


def command_at(document: dict[str, Any]) -> codec.Decoded:
    """Return the command that an event was judged by last."""
    [value] = [
        each.value
        for each in commands()
        if (each.partition, each.offset) == (document["partition"], document["offset"])
    ]
    return codec.decode(value)


def test_every_kind_of_command_is_among_the_golden_records() -> None:
    assert {json.loads(each.value or b"")["type"] for each in commands()} == COMMAND_TYPES


@pytest.mark.parametrize("record", commands(), ids=lambda each: f"{each.partition}-{each.offset}")
def test_a_command_is_read_and_would_be_written_as_the_same_record(record: LogRecord) -> None:
    decoded = codec.decode(record.value)
    written = codec.encode(decoded.command)
    assert json.loads(written) == json.loads(record.value or b"")
    # The members of an amendment keep the order in which they were sent, until the record is read.
    assert written == record.value or decoded.command.event_id in ids_of(codec.AMENDED_TYPE)
    assert record.key == decoded.command.tracking_number.encode()
    assert record.partition == partition_of(record.key, PARTITIONS)
    assert codec.header(record.headers, "content-type") == codec.CONTENT_TYPE


@pytest.mark.parametrize("record", commands(), ids=lambda each: f"{each.partition}-{each.offset}")
def test_members_that_a_later_release_adds_are_ignored(record: LogRecord) -> None:
    added = json.loads(record.value or b"")
    added["later"] = added["data"]["later"] = {"added": [1]}
    assert codec.decode(json.dumps(added).encode()) == codec.decode(record.value)


def test_members_that_a_later_release_adds_to_a_change_are_ignored() -> None:
    for record in records(Topics().changes):
        added = json.loads(record.value or b"")
        added["later"] = added["data"]["later"] = {"added": [1]}
        assert decode_change(json.dumps(added).encode()) == decode_change(record.value)


def test_a_command_has_the_identity_and_the_fingerprint_that_were_recorded() -> None:
    """They decide what is a duplicate: another one would be applied a second time."""
    documents = golden_documents()[STATUS_EVENTS]
    read = {each["_id"]: command_at(each) for each in documents}
    assert [each.command.event_id for each in read.values()] == list(read)
    assert {event_id: each.fingerprint for event_id, each in read.items()} == {
        each["_id"]: each["fingerprint"] for each in documents
    }


def test_a_change_is_read_and_would_be_published_as_the_same_message() -> None:
    applied = [each for each in golden_documents()[STATUS_EVENTS] if each["outcome"] == "applied"]
    published = [each.value for each in records(Topics().changes)]
    for document in applied:
        message = encode_change(command_at(document).command, event_of(document))
        assert message in published
        change = decode_change(message)
        assert (change.change_id, change.version) == (document["_id"], document["version"])
    assert CORRECTED_TYPE in {json.loads(value or b"")["type"] for value in published}


def test_derived_topics_have_the_messages_of_the_change_feed() -> None:
    changes = {each.value for each in records(Topics().changes)}
    for topic in (Topics().created, Topics().delivered, Topics().location):
        derived = {each.value for each in records(topic)}
        assert derived
        assert derived <= changes


async def test_a_dead_letter_would_be_published_as_the_same_record() -> None:
    log = {(each.partition, each.offset): each for each in records(Topics().events)}
    dead_letters = records(Topics().dead_letters)
    assert len(dead_letters) > 3
    for record in dead_letters:
        said = {name: value.decode() for name, value in record.headers}
        origin = log[int(said["dlq-partition"]), int(said["dlq-offset"])]
        producer = RecordingProducer()
        dead_letter = DeadLetter(origin, said["dlq-reason"], said["dlq-error"], int(said["dlq-attempts"]))
        await KafkaDeadLetters(producer, Topics()).publish(dead_letter)
        [written] = producer.topics[Topics().dead_letters]
        assert (written.key, written.value, list(written.headers)) == (
            record.key,
            record.value,
            list(record.headers),
        )


def test_a_replay_is_recognised() -> None:
    [replay] = [each for each in map(replay_in, commands()) if each is not None]
    place = position_of(replay.dead_letter_id)
    assert place in {RecordPosition(each.partition, each.offset) for each in records(Topics().dead_letters)}
    assert dead_letter_id(place) == replay.dead_letter_id
    assert replay.by == "admin_user"


def test_a_webhook_would_have_the_same_body() -> None:
    published = [decode_change(each.value) for each in records(Topics().changes)]
    changes = {each.change_id: each for each in published}
    versions = {(each.tracking_number, each.version): each for each in published}
    full = [json.loads(each["body"]) for each in golden("webhooks") if each["path"] != "/thin"]
    assert len({each["type"] for each in full}) > 6
    assert all(full_body(changes[each["data"]["event"]["event_id"]]) == each for each in full)
    thin = [json.loads(each["body"]) for each in golden("webhooks") if each["path"] == "/thin"]
    assert thin
    for each in thin:
        assert thin_body(versions[each["data"]["tracking_number"], each["data"]["version"]]) == each


def test_a_webhook_would_have_the_same_signature() -> None:
    """Receivers verify with the secret that they were shown when the endpoint was created."""
    shown = golden("secrets")["shown"]
    for each in golden("webhooks"):
        secrets = [shown["rotated"], shown["/full"]] if each["path"] == "/full" else [shown[each["path"]]]
        sent = {name.lower(): text for name, text in each["headers"].items()}
        at = datetime.fromtimestamp(int(sent["webhook-timestamp"]), UTC)
        signed = signed_headers(sent["webhook-id"], each["body"].encode(), secrets, at)
        assert signed["webhook-id"] == sent["webhook-id"]
        assert set(sent["webhook-signature"].split()) <= set(signed["webhook-signature"].split())


@pytest.mark.parametrize(
    "principal",
    [
        Principal("admin_user", Role.ADMIN, seeded=True),
        Principal("client_user_001", Role.CLIENT, "client_001", seeded=True),
        Principal("driver_user_001", Role.PRODUCER, seeded=True),
    ],
    ids=lambda each: each.subject,
)
def test_a_token_would_be_issued_with_the_same_claims(principal: Principal) -> None:
    token, secret = golden("secrets")["tokens"][principal.subject], golden("secrets")["jwt_secret"]
    settings = AuthSettings(env=Environment.DEVELOPMENT, jwt_secret=SecretStr(secret))
    claims = claims_of(token, secret)
    issued = TokenIssuer(settings).issue(principal, at_ms=claims["iat_ms"])
    assert claims_of(issued, secret) == claims
    assert jwt.get_unverified_header(issued) == jwt.get_unverified_header(token)


def claims_of(token: str, secret: str) -> dict[str, Any]:
    """Return the claims of a token, whenever it expired, without what is random."""
    claims: dict[str, Any] = jwt.decode(
        token, secret, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False}
    )
    del claims["jti"]
    return claims


def test_the_steps_of_the_schema_have_kept_their_numbers() -> None:
    taken = [each for each in golden_documents()[SCHEMA_MIGRATIONS] if isinstance(each["_id"], int)]
    assert len(taken) > 7
    assert {each["_id"]: each["name"] for each in taken} == {
        number: step.name for number, step in enumerate(STEPS[: len(taken)], 1)
    }


def test_no_step_since_the_last_release_keeps_it_from_being_rolled_back_to() -> None:
    """A release that breaks this says so in CHANGELOG.md and docs/rollback.md, and changes this test."""
    taken = sum(isinstance(each["_id"], int) for each in golden_documents()[SCHEMA_MIGRATIONS])
    assert [step.name for step in STEPS[taken:] if step.breaks_older] == []
