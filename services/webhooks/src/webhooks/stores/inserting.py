"""Insertion of documents that may be there already."""

from collections.abc import Sequence
from typing import Any, Final

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from storage.mongo.errors import translated

Document = dict[str, Any]

_DUPLICATE_KEY: Final = 11000


async def insert_new(
    collection: AsyncCollection[Document], documents: Sequence[Document]
) -> Sequence[Document]:
    """Insert the documents whose ids are new, and leave the others as they are; return the new ones.

    Raises:
        StoreUnavailable: some may not have been inserted; it is safe to insert all of them again.
    """
    if not documents:
        return ()
    with translated():
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            known = _duplicates(error)
            if known is None:
                raise
            return [each for index, each in enumerate(documents) if index not in known]
    return documents


def _duplicates(error: BulkWriteError) -> set[int] | None:
    """Return the indexes of documents whose ids were there; None if something else failed."""
    details = error.details or {}
    faults = details.get("writeErrors", ())
    if details.get("writeConcernErrors") or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
        return None
    return {fault["index"] for fault in faults}
