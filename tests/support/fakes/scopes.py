"""Scopes of callers, over documents in memory."""

from domain.ports.core import Document
from domain.ports.queries import Scope


def is_in(scope: Scope, document: Document) -> bool:
    """Say whether a document is in a scope."""
    return scope.client_id in (None, document["client_id"]) and (
        scope.submitted_by is None or document["submitted_by"] == scope.submitted_by
    )
