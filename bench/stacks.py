"""A separate stack for measurements, with the sizes that `make run` chooses."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from devstack.client import RunningStack, start_stack

AS_IT_COMES: Final[Mapping[str, str]] = MappingProxyType({})
ONE_PER_CORE: Final = {"PROCESSORS": str(os.cpu_count() or 1)}
"""Two processors on two cores apply a tenth more than one: each waits for MongoDB now and then. But they take
more CPU for the few events of a quiet hour, so it is not what `make run` starts."""


@contextmanager
def bench_stack(
    port: int, *, environment: Mapping[str, str] = AS_IT_COMES, stores_only: bool = False
) -> Iterator[RunningStack]:
    """Run a stack in a temporary directory.

    Args:
        port: of its gateway.
        environment: goes before this process's own.
        stores_only: without services and gateway.
    """
    env = {**os.environ, **environment}
    with (
        tempfile.TemporaryDirectory(prefix="waybill-bench-") as home,
        start_stack(Path(home), env=env, port=port, stores_only=stores_only) as stack,
    ):
        yield stack
