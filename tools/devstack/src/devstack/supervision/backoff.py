"""Backoff before a dead child is restarted: a pure rule, time passed in."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delay per consecutive failure; a long enough uptime resets the count."""

    first_s: float = 0.1
    factor: float = 2.0
    most_s: float = 10.0
    reset_after_s: float = 30.0
    failures: int = 0

    def after(self, *, uptime_s: float) -> "Backoff":
        """Return the backoff after the death of a child that was up for `uptime_s`."""
        return replace(self, failures=1 if uptime_s >= self.reset_after_s else self.failures + 1)

    @property
    def delay_s(self) -> float:
        """Seconds to wait now; 0 before the first failure."""
        if self.failures == 0:
            return 0.0
        # The exponent is capped: a float overflows after a thousand failures.
        return min(self.most_s, self.first_s * self.factor ** min(self.failures - 1, 32))
