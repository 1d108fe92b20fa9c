"""An open loop: requests leave at instants of their own, whatever became of those before them.

A closed loop waits for a slow answer before it sends the next request, and so leaves out what the requests
would have met that it did not send meanwhile (coordinated omission). Here each latency counts from the
instant at which the request was meant to leave: late answers, busy connections and a generator that is late
itself all count.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from itertools import accumulate

from bench.lanes import Answer, Lanes

Answered = Callable[[int, Answer], None]


def arrivals(*, rate: float, count: int, seed: int) -> list[float]:
    """Return instants in seconds, `rate` a second on average, as independent senders make them (Poisson)."""
    rng = random.Random(seed)  # noqa: S311  # a load, not a secret
    return list(accumulate(rng.expovariate(rate) for _ in range(count)))


async def send_at(
    lanes: Lanes, requests: Sequence[bytes], instants: Sequence[float], answered: Answered
) -> None:
    """Send each request at its instant, by `time.perf_counter`, and wait for all answers."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    missing = len(requests)

    def then_of(index: int) -> Callable[[Answer], None]:
        def then(answer: Answer) -> None:
            nonlocal missing
            answered(index, answer)
            missing -= 1
            if missing == 0:
                done.set_result(None)

        return then

    for index, (request, instant) in enumerate(zip(requests, instants, strict=True)):
        if (wait_s := instant - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        lanes.send(request, then_of(index))
    await lanes.until(done)
