"""The load of the process, by which its lanes are bounded."""

from dataclasses import dataclass
from typing import Final

_MOST_READ_AHEAD: Final = 4096
_MOST_AHEAD: Final = 128
_LEAST_AHEAD: Final = 8


@dataclass(slots=True)
class Load:
    """Lanes of the process.

    Attributes:
        lanes: number of them.
        is_crowded: whether endpoints wait for a lane.
    """

    lanes: int = 0
    is_crowded: bool = False

    def ahead(self) -> int:
        """Return the number of deliveries that a lane may read ahead: less, the more lanes there are."""
        return min(max(_MOST_READ_AHEAD // max(self.lanes, 1), _LEAST_AHEAD), _MOST_AHEAD)
