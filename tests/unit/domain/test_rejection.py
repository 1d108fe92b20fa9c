"""The reasons of rejections: their spelling is stored and sent."""

from domain.shipments.rejection import RejectionReason


def test_reasons_are_spelled_as_they_are_named_and_sorted() -> None:
    names = [reason.name for reason in RejectionReason]
    assert names == [reason.value for reason in RejectionReason] == sorted(names)
