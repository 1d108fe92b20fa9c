"""Times of attempts and leases, of which one bounds the other."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Times in seconds.

    Attributes:
        attempt_s: from the beginning of an attempt to the status of its response.
        lease_s: of a lease: so long that an attempt can begin and be recorded after two failed renewals.
    """

    attempt_s: float = 15.0
    lease_s: float = 30.0

    @property
    def renew_s(self) -> float:
        """Time between renewals of a lease."""
        return self.lease_s / 6

    @property
    def margin_s(self) -> float:
        """Time of a lease that is left for the record of a result."""
        return self.lease_s / 12


TIMING: Final = Timing()
"""Times of production."""
