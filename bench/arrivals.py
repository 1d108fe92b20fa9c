"""An open loop: requests leave at set instants, however long earlier responses take.

A closed loop waits for a slow response before it sends the next request, and so leaves out the delay of the
requests that it did not send meanwhile (coordinated omission). Here each latency counts from the
instant at which the request was meant to leave: late responses, busy connections and a generator that is late
itself all count.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from itertools import accumulate

from bench.lanes import Lanes, Response

Answered = Callable[[int, Response], None]


def arrivals(*, rate: float, count: int, seed: int) -> list[float]:
    """Return instants in seconds, `rate` a second on average, as independent senders make them (Poisson)."""
    rng = random.Random(seed)  # noqa: S311  # a load, not a secret
    return list(accumulate(rng.expovariate(rate) for _ in range(count)))


async def send_at(
    lanes: Lanes, requests: Sequence[bytes], instants: Sequence[float], answered: Answered
) -> None:
    """Send each request at its instant, by `time.perf_counter`, and wait for all responses."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    missing = len(requests)

    def then_of(index: int) -> Callable[[Response], None]:
        def then(response: Response) -> None:
            nonlocal missing
            answered(index, response)
            missing -= 1
            if missing == 0:
                done.set_result(None)

        return then

    for index, (request, instant) in enumerate(zip(requests, instants, strict=True)):
        if (wait_s := instant - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        lanes.send(request, then_of(index))
    await lanes.until(done)
