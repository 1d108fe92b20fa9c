"""The soak's load is made from numbers alone, so that it need not be stored to be checked."""

from collections import Counter

from bench.lives import SHIPMENTS, block_of
from bench.sampling import Samples

from devstack.home.stack_file import SERVICES


def test_a_block_is_the_same_whenever_it_is_made_and_no_other_has_its_shipments() -> None:
    assert block_of(7, 3) == block_of(7, 3)
    others = [block_of(7, 4), block_of(8, 3)]
    assert all(set(block_of(7, 3).numbers).isdisjoint(other.numbers) for other in others)


def test_the_expectation_of_a_block_equals_its_requests() -> None:
    block = block_of(1, 0)
    assert block.expected().total() == block.events
    assert len(block.numbers) == SHIPMENTS
    assert set(block.expected().values()) == {1, 2}
    assert Counter(block.expected().values())[2] > 0.02 * block.events


def test_growing_samples_break_their_bounds_and_varying_ones_do_not() -> None:
    flat, growing = Samples(), Samples()
    for moment in range(40):
        for group in SERVICES:
            flat.add(f"{group} RSS MiB", 100 + moment % 3)
            growing.add(f"{group} RSS MiB", 100 + moment)
            for what in ("files", "connections", "threads"):
                flat.add(f"{group} {what}", 50 + moment % 5)
                growing.add(f"{group} {what}", 50 + moment)
        for name in ("MongoDB connections", "Redis keys"):
            flat.add(name, 20)
            growing.add(name, 20 + 2 * moment)
    growing.eternal_keys.add("oops")
    assert list(flat.broken()) == []
    series_of_a_service, of_stores = 4, 3
    assert len(list(growing.broken())) == len(SERVICES) * series_of_a_service + of_stores
