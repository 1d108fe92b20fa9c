"""Prometheus rules and alerts as deployed, read once."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.prometheus import DEPLOYED

ROOT = Path(__file__).parents[2]
TESTS = DEPLOYED / "tests/alerts.yml"


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in _rules() if "alert" in rule}


def recorded() -> set[str]:
    """Return the names of the series that rules record."""
    return {rule["record"] for rule in _rules() if "record" in rule}


@cache
def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in sorted((DEPLOYED / "rules").glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]
