"""Whether two samples of times can be told apart: the rank-sum test of Mann and Whitney."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import sqrt


def rank_score(first: Sequence[float], second: Sequence[float]) -> float:
    """Return how far the ranks of two samples are from those of one: a standard normal score.

    Ranks ignore outliers, of which times on a busy machine have many. A score beyond ±4.5 comes by chance
    once in 150,000 comparisons. Equal times are taken in favour of neither.
    """
    ordered = sorted([*first, *second])
    # The rank of a value is the middle of its places.
    ranks = {each: (bisect_left(ordered, each) + bisect_right(ordered, each) + 1) / 2 for each in first}
    a, b = len(first), len(second)
    expected = a * (a + b + 1) / 2
    return (sum(ranks[each] for each in first) - expected) / sqrt(a * b * (a + b + 1) / 12)
