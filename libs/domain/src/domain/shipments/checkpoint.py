"""Checkpoints: what happens to a shipment between two statuses, as a code and never as a status (ADR 0026).

Any code of the form `PATTERN` is accepted and kept. The known ones have labels for people.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PATTERN: Final = "[a-z][a-z0-9_]{0,63}"
"""Regular expression of a whole code."""

LANGUAGES: Final = ("es", "en", "pt")

_TABLE: Final = (
    ("out_for_delivery", "En reparto", "Out for delivery", "Saiu para entrega"),
    (
        "delivery_failed",
        "Intento de entrega fallido",
        "Failed delivery attempt",
        "Tentativa de entrega sem sucesso",
    ),
    (
        "arrived_at_hub",
        "Llegó al centro de distribución",
        "Arrived at hub",
        "Chegou ao centro de distribuição",
    ),
    (
        "departed_hub",
        "Salió del centro de distribución",
        "Departed from hub",
        "Saiu do centro de distribuição",
    ),
    ("on_hold", "Retenido", "On hold", "Retido"),
    ("available_for_pickup", "Disponible para recoger", "Available for pickup", "Disponível para retirada"),
    ("returning", "En devolución", "Returning to sender", "Em devolução"),
)

LABELS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {code: MappingProxyType(dict(zip(LANGUAGES, labels, strict=True))) for code, *labels in _TABLE}
)
"""Labels of the known codes by language, for anyone who shows them to people."""
