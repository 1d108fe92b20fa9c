"""The models have the fields of the document's schemas, and keep what they do not know."""

import copy
import json
import pickle
from enum import EnumType
from typing import Any, get_args

import pytest

from tests.support.printed_calls import ROOT
from waybill import Status, models
from waybill.models import Model, Replayed, Shipment
from waybill.models.page import Page, Whole

SCHEMAS: dict[str, dict[str, Any]] = json.loads(
    (ROOT / "services/query-api/src/query_api/openapi.json").read_text()
)["components"]["schemas"]

# Names that say more where they are read than in the document.
RENAMED = {
    "State": "HealthState",
    "Header": "RecordHeader",
    "Start": "ResumeFrom",
    "ErrorDetail": "Problem",
    "Fault": "Problem",
    "CursorPagination": "Pagination",
    "MessageLocation": "Location",
}
# Schemas that are one model together, with the fields of all.
JOINED = {
    "Replayed": ("Replayed", "NotFoundDeadLetter", "NotReplayed"),
    "MessageEvent": ("MessageEvent", "AmendmentEvent", "CheckpointEvent", "CorrectionEvent"),
    "MessageData": ("MessageData", "ThinMessageData"),
}
# Without a schema of their own: the data of a stream, and the id of a message, which is a header.
OWN = {"LiveStatus", "Model", "WebhookMessage", "Page", "Whole"}
# Optional in the model, because other schemas of it do not have them.
OPTIONAL = {"Pagination": {"next_cursor"}}

MODELS = {
    name: value
    for name, value in vars(models).items()
    if isinstance(value, type) and issubclass(value, Model) and name not in OWN and "[" not in name
}
ENUMS = {name: value for name, value in vars(models).items() if isinstance(value, EnumType)}


def schemas_of(name: str) -> list[dict[str, Any]]:
    originals = [schema for schema, renamed in RENAMED.items() if renamed == name] or [name]
    return [SCHEMAS[each] for each in JOINED.get(name, originals)]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_fields_of_its_schema(name: str) -> None:
    schemas = schemas_of(name)
    fields = {field.alias or each: field for each, field in MODELS[name].model_fields.items()}
    described: set[str] = set().union(*[schema["properties"] for schema in schemas])
    assert fields.keys() == described
    required = set.intersection(*[set(schema.get("required", ())) for schema in schemas])
    required -= OPTIONAL.get(name, set())
    assert {each for each, field in fields.items() if field.is_required()} == required


@pytest.mark.parametrize("name", MODELS)
def test_a_field_is_null_where_its_schema_says(name: str) -> None:
    fields = {field.alias or each: field for each, field in MODELS[name].model_fields.items()}
    for schema in schemas_of(name):
        for field_name, described in schema["properties"].items():
            if {"type": "null"} in described.get("anyOf", []):
                assert type(None) in get_args(fields[field_name].annotation), (name, field_name)


@pytest.mark.parametrize("name", ENUMS)
def test_an_enumeration_has_the_values_of_its_schema(name: str) -> None:
    (schema,) = schemas_of(name)
    values: list[str] = list(ENUMS[name])
    assert values == schema["enum"]


def test_every_answer_of_the_document_has_a_model() -> None:
    """Requests have none: they are keyword arguments; nor have lists, which are iterated."""
    document = json.loads((ROOT / "services/query-api/src/query_api/openapi.json").read_text())
    answered = {
        media["schema"]["$ref"].rpartition("/")[2]
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for media in response.get("content", {}).values()
        if "$ref" in media["schema"]
    }
    single = {each for each in answered if not each.endswith(("Page", "List"))}
    assert len(single) > 15
    assert {RENAMED.get(each, each) for each in single} <= MODELS.keys()


def kinds_of(annotation: Any) -> set[Any]:  # noqa: ANN401 - of a field
    """Return all types that an annotation names."""
    parts: list[set[Any]] = [kinds_of(each) for each in get_args(annotation)]
    return {annotation}.union(*parts)


def test_an_enumerated_field_takes_values_of_a_newer_server() -> None:
    enumerated = {
        (name, field_name): kinds_of(field.annotation)
        for name, model in MODELS.items()
        for field_name, field in model.model_fields.items()
        if any(isinstance(kind, EnumType) for kind in kinds_of(field.annotation))
    }
    assert len(enumerated) > 20
    assert [each for each, kinds in enumerated.items() if str not in kinds] == []


SHIPMENT = {
    "origin": {"address": "a", "coordinates": {"lat": 1, "lng": 2}},
    "destination": {"address": "b", "coordinates": {"lat": 1, "lng": 2}},
    "package": {"weight_kg": 1},
    "tracking_number": "99M-GMPWC6W7SP2G",
    "client_id": "c",
    "current_status": "created",
    "status_history": [],
    "version": 1,
    "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z",
}


def test_values_and_fields_of_a_newer_server_are_kept() -> None:
    known = Shipment.model_validate(SHIPMENT)
    assert known.current_status is Status.CREATED
    newer = Shipment.model_validate(SHIPMENT | {"current_status": "lost", "insured_for": 100})
    assert newer.current_status == "lost"
    assert newer.model_extra == {"insured_for": 100}


def test_answers_are_read_only() -> None:
    shipment = Shipment.model_validate(SHIPMENT)
    with pytest.raises(ValueError, match="frozen"):
        shipment.version = 2


def test_lists_are_made_of_models() -> None:
    pagination = {"total": 1, "limit": 10, "offset": 0, "has_next": False}
    page = Page[Shipment].model_validate({"data": [SHIPMENT], "pagination": pagination})
    assert page.data[0].version == 1
    assert (
        Whole[Replayed].model_validate({"data": [{"id": "dl_0_1", "status": "queued"}]}).data[0].id
        == "dl_0_1"
    )


def test_answers_pass_from_process_to_process() -> None:
    newer = SHIPMENT | {"current_status": "lost", "insured_for": 100}
    pagination = {"total": 1, "limit": 10, "offset": 0, "has_next": False}
    page = Page[Shipment].model_validate({"data": [newer], "pagination": pagination})
    for answer in (page, page.data[0]):
        for copied in (pickle.loads(pickle.dumps(answer)), copy.deepcopy(answer), copy.copy(answer)):  # noqa: S301
            assert copied == answer
            assert type(copied) is type(answer)
