"""The rank-sum test finds what differs, and nothing else."""

import random

from tests.support.timing import rank_score

N = 120


def times(seed: int, *, slower: float = 1.0) -> list[float]:
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    return [chance.lognormvariate(0.0, 0.3) * slower for _ in range(N)]


def test_samples_of_one_kind_of_work_are_alike() -> None:
    assert all(abs(rank_score(times(seed), times(seed + 1000))) < 4.5 for seed in range(300))


def test_work_that_takes_a_third_longer_is_found_in_spite_of_outliers() -> None:
    outliers = [50.0] * 5
    found = [
        rank_score(times(seed, slower=1.35) + outliers, times(seed + 1000) + outliers) for seed in range(50)
    ]
    assert sum(score > 4.5 for score in found) >= 45


def test_equal_times_favour_neither() -> None:
    assert rank_score([1.0] * 40, [1.0] * 50) == 0
