"""Records on disk: all of them, in their order, and buckets in the order of tracking numbers."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import number
from toolbox.rebuild.spill import MOST_BUCKETS, Spill, SpilledRecord, bucket_of

keys = st.none() | st.binary(max_size=20) | st.integers(0, 1 << 50).map(lambda index: number(index).encode())
records = st.lists(
    st.builds(
        SpilledRecord,
        partition=st.integers(0, 1 << 27),
        offset=st.integers(0, 1 << 52),
        timestamp=st.integers(0, 1 << 45),
        key=keys,
        value=st.none() | st.binary(max_size=50),
    )
)


@given(records, st.integers(1, 2 * MOST_BUCKETS))
def test_all_that_is_put_in_comes_out(some: list[SpilledRecord], buckets: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        spill = Spill(Path(directory), buckets=buckets)
        for record in some:
            spill.add(record)
        kept = [each for bucket in range(spill.buckets) for each in spill.records(bucket)]
    assert kept == sorted(some, key=lambda record: bucket_of(record.key, spill.buckets))


def test_what_does_not_fit_into_the_buffers_comes_out_too(tmp_path: Path) -> None:
    spill = Spill(tmp_path, buckets=2)
    some = [SpilledRecord(0, offset, 0, number(offset).encode(), bytes(50_000)) for offset in range(20)]
    for record in some:
        spill.add(record)
    assert {each.stat().st_size > 0 for each in tmp_path.iterdir()} == {True}
    assert sum(len(list(spill.records(bucket))) for bucket in range(2)) == len(some)


@given(st.integers(0, 1 << 55), st.integers(0, 1 << 55), st.integers(1, MOST_BUCKETS))
def test_buckets_have_the_order_of_tracking_numbers(one: int, other: int, buckets: int) -> None:
    lower, higher = sorted([number(one), number(other)])
    assert bucket_of(lower.encode(), buckets) <= bucket_of(higher.encode(), buckets) < buckets
