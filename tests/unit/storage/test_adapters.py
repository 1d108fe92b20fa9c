"""Adapters without a server: errors, settings, documents."""

from dataclasses import replace
from typing import Any

import pymongo.errors
import pytest
from pydantic import ValidationError

from domain.errors import StoreUnavailable
from domain.processing.batch import EventChange, Outcome, ShipmentTransition
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from storage.mongo import documents, shipment_documents
from storage.mongo.errors import translated
from storage.settings import MongoSettings, RedisSettings
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    consumed,
    consumed_all,
    creation,
    plan_for,
    report,
    shipment_after,
)
from tests.support.history import HOLD

CREATION = creation(request_key="key")
PICKED_UP = report(Status.PICKED_UP)


def errors_of_the_driver() -> list[type[Exception]]:
    """Return every error class of pymongo."""
    found = [
        each
        for each in vars(pymongo.errors).values()
        if isinstance(each, type) and issubclass(each, pymongo.errors.PyMongoError)
    ]
    return sorted(found, key=lambda each: each.__name__)


@pytest.mark.parametrize("error", errors_of_the_driver())
def test_every_error_of_the_driver_is_translated(error: type[Exception]) -> None:
    raised = error.__new__(error)
    raised.args = ("what it said",)
    with pytest.raises(StoreUnavailable, match=error.__name__) as caught, translated():
        raise raised
    assert caught.value.__cause__ is raised


def test_what_is_no_error_of_the_driver_passes() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("bug")


@pytest.mark.parametrize(
    "address",
    ["localhost", "localhost:", ":6379", "a b:1", "localhost:123456", "", "a:1,", "a:1,b", "a:1, b:2"],
)
def test_an_address_of_redis_has_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValidationError):
        RedisSettings(REDIS_ADDR=address)  # type: ignore[call-arg]


def test_an_address_of_redis_is_taken_apart() -> None:
    settings = RedisSettings(REDIS_ADDR="redis.internal:6380")  # type: ignore[call-arg]
    assert settings.addresses == [("redis.internal", 6380)]
    settings = RedisSettings.model_validate({"REDIS_ADDR": "a:1,b:2", "REDIS_MODE": "sentinel"})
    assert settings.addresses == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"REDIS_ADDR": "a:1,b:2"}, "several addresses needs REDIS_MODE"),
        ({"REDIS_DB": "1", "REDIS_MODE": "cluster"}, "REDIS_DB must be 0"),
        ({"REDIS_MODE": "replica"}, "'server', 'sentinel' or 'cluster'"),
    ],
)
def test_settings_of_redis_that_do_not_fit_together_are_named(given: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        RedisSettings.model_validate(given)


@pytest.mark.parametrize(
    "name", ["MONGO_TIMEOUT_S", "MONGO_SERVER_SELECTION_TIMEOUT_S", "MONGO_MAX_POOL_SIZE"]
)
def test_mongodb_is_never_waited_for_for_ever(name: str) -> None:
    with pytest.raises(ValidationError):
        MongoSettings(**{name: "0"})  # type: ignore[arg-type]


def test_a_shipment_is_read_as_it_was_written() -> None:
    [change] = plan_for(consumed_all(CREATION, PICKED_UP)).shipments.values()
    document = shipment_documents.shipment_document(change, recorded_at=RECORDED_AT)
    assert shipment_documents.shipment_of(document) == shipment_after(CREATION, PICKED_UP)


def test_a_held_event_is_read_as_it_was_written() -> None:
    early = replace(report(Status.IN_TRANSIT), location={"lat": 4.6, "lng": -74.1}, utc_offset="-05:00")
    records = [replace(each, hold=HOLD) for each in consumed_all(CREATION, early)]
    [change] = plan_for(records).shipments.values()
    document = shipment_documents.shipment_document(change, recorded_at=RECORDED_AT)
    read = shipment_documents.shipment_of(document)
    assert read == change.after
    assert [each.command for each in read.held] == [early]


def test_a_released_event_leaves_its_shipment_with_nothing_held() -> None:
    records = [replace(each, hold=HOLD) for each in consumed_all(CREATION, report(Status.IN_WAREHOUSE))]
    [before] = plan_for(records).shipments.values()
    [change] = plan_for([consumed(PICKED_UP, 2, hold=HOLD)], {NUMBER: before.after}).shipments.values()
    update = shipment_documents.shipment_update(change, recorded_at=RECORDED_AT)
    assert update["$unset"] == {"held": ""}
    assert (update["$set"]["version"], update["$set"]["current_status"]) == (3, "in_warehouse")
    assert set(update["$set"]) >= {"status_history.1", "status_history.2"}


def test_history_is_written_by_position_so_that_repeating_it_is_harmless() -> None:
    before = shipment_after(CREATION, PICKED_UP)
    records = consumed_all(report(Status.IN_WAREHOUSE), report(Status.IN_TRANSIT))
    [change] = plan_for(records, {NUMBER: before}).shipments.values()
    update = shipment_documents.shipment_update(change, recorded_at=RECORDED_AT)["$set"]
    assert set(update) == {"status_history.2", "status_history.3", "current_status", "version", "updated_at"}
    assert (update["current_status"], update["version"]) == ("in_transit", 4)


@pytest.mark.parametrize(
    ("reason", "read"),
    [(None, None), ("INVALID_TRANSITION", RejectionReason.INVALID_TRANSITION), ("ValueError: x", None)],
)
def test_an_operators_text_is_no_reason_code(reason: str | None, read: RejectionReason | None) -> None:
    [change] = plan_for([consumed(PICKED_UP, 3)]).events
    document: dict[str, Any] = documents.event_document(change, partition=0, recorded_at=RECORDED_AT)
    record = documents.event_of(document | {"reason": reason})
    assert change.record is not None
    assert record == replace(change.record, reason=read, outcome=Outcome.REJECTED)


def test_what_was_only_counted_has_no_record_to_write() -> None:
    with pytest.raises(ValueError, match="was counted, not judged"):
        documents.judged_fields(
            EventChange(PICKED_UP.event_id, is_new=False, last_offset=1), partition=0, recorded_at=RECORDED_AT
        )


def test_a_shipment_is_created_by_a_creation_only() -> None:
    change = ShipmentTransition(None, shipment_after(CREATION), [consumed(PICKED_UP)])
    with pytest.raises(TypeError, match="creates nothing"):
        shipment_documents.shipment_document(change, recorded_at=RECORDED_AT)
