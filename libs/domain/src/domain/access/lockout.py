"""Login lockout: some failures are free, then the wait doubles up to a bound."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPolicy:
    """The failures that lock a login, and the length of the lock.

    Attributes:
        free: failures without a consequence; the last of them locks for `first_s`.
        first_s: the first lock; each further failure doubles it.
        longest_s: the longest lock.
        memory_s: failures are forgotten when there was none for so long.
    """

    free: int
    first_s: float = 1.0
    longest_s: float = 900.0
    memory_s: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPolicies:
    """The rules of three counters: of a user from an address, of a user, of an address."""

    pair: LockPolicy
    user: LockPolicy
    address: LockPolicy


def lock_s(policy: LockPolicy, failures: int) -> float:
    """Return the seconds that the latest of `failures` failures in a row locks for; 0: not at all."""
    beyond = failures - policy.free
    if beyond < 0:
        return 0.0
    if beyond >= 64:  # noqa: PLR2004  # beyond any bound, and 2.0 ** beyond would overflow in the end
        return policy.longest_s
    return min(policy.longest_s, policy.first_s * 2.0**beyond)
