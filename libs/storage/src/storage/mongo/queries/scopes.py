"""Scopes of callers, as parts of queries."""

from typing import Any

from domain.ports.queries import Scope


def inside(scope: Scope) -> dict[str, Any]:
    """Return the part of a query that finds only what is in a scope."""
    limits = {"client_id": scope.client_id, "submitted_by": scope.submitted_by}
    return {name: {"$eq": whose} for name, whose in limits.items() if whose is not None}
