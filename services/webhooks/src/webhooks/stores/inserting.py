"""Insertion of documents that may be there already."""

from collections.abc import Sequence
from typing import Any, Final

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from storage.mongo.errors import translated

Document = dict[str, Any]

_DUPLICATE_KEY: Final = 11000


async def insert_new(collection: AsyncCollection[Document], documents: Sequence[Document]) -> None:
    """Insert the documents whose ids are new; leave the others as they are.

    Raises:
        StoreUnavailable: some may not have been inserted; it is safe to insert all of them again.
    """
    if not documents:
        return
    with translated():
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not _is_of_duplicates(error):
                raise


def _is_of_duplicates(error: BulkWriteError) -> bool:
    faults = error.details or {}
    codes = {fault["code"] for fault in faults.get("writeErrors", ())}
    return codes == {_DUPLICATE_KEY} and not faults.get("writeConcernErrors")
