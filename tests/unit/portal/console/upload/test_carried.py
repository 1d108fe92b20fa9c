"""A table that a page carries from one request to the next."""

import pytest

from portal.console.upload.carried import NotCarried, pack, unpack
from waybill.importing.tables import Table

TABLE = Table(("tracking_number", "status"), (("99M-1", "picked_up"), ("99M-2", "")))


def test_a_page_carries_a_table_unchanged() -> None:
    assert unpack(pack(TABLE)) == TABLE


@pytest.mark.parametrize("text", ["", "x", "AAAA", pack(TABLE)[:-8], pack(Table(("a",), (("1", "2"),)))])
def test_what_no_page_has_carried_is_refused(text: str) -> None:
    with pytest.raises(NotCarried):
        unpack(text)
