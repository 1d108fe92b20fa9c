"""Health of the services."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from waybill.models.base import Model, OrText


class HealthState(StrEnum):
    """State of a dependency or of a service; `degraded`: it works, only slower."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class HealthReport(Model):
    """State of a service and of its dependencies."""

    status: OrText[HealthState]
    timestamp: datetime
    checks: Mapping[str, OrText[HealthState]]
