"""`waybill-admin partitions`: show the partitions of the log, or let it grow to more of them (ADR 0037).

Exit codes: 0 done; 1 refused, or not applied in time; 2 Kafka or MongoDB does not respond: repeat it.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import TransientError
from domain.ports.partitions import PartitionStateStore
from messaging.log.generations import Generation
from messaging.log.growth import GrowthRefused, LogGrowth, log_growth
from messaging.settings import KafkaSettings
from servicekit.settings import load_settings
from storage.mongo.database import open_database
from storage.mongo.processing.partition_state import MongoPartitionControl, MongoPartitionStateStore
from storage.settings import MongoSettings

_LOOK_EVERY_S: Final = 0.5
_TAKEN_OVER_WITHIN_S: Final = 30.0
_APPLIED_WITHIN_S: Final = 300.0
_MOST_PARTITIONS: Final = 1_000


class Settings(BaseModel):
    """Settings of this command."""

    model_config = ConfigDict(frozen=True)

    kafka: KafkaSettings
    mongo: MongoSettings


def main() -> int:
    """Run the command of the arguments; return the exit code."""
    arguments = _parser().parse_args()
    settings = load_settings(Settings)
    try:
        return asyncio.run(_run(settings, arguments.partitions))
    except GrowthRefused as error:
        sys.stderr.write(f"refused: {error}\n")
        return 1
    except TransientError as error:
        sys.stderr.write(f"error: {error}; repeat the command, it goes on where it was\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.set_defaults(partitions=None)
    growing = parser.add_subparsers().add_parser("grow", help="let the log go on with more partitions")
    growing.add_argument("partitions", type=_count, metavar="N", help="number of partitions, more than now")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _MOST_PARTITIONS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_PARTITIONS}")
    return int(text)


async def _run(settings: Settings, partitions: int | None) -> int:
    async with open_database(settings.mongo) as database, log_growth(settings.kafka) as growth:
        state = MongoPartitionStateStore(database)
        if partitions is None:
            await _show(growth, state)
            return 0
        first = (await growth.generations())[0]
        control = MongoPartitionControl(database, first.topic)

        async def is_taken_over(generation: Generation) -> bool:
            return sum(view.topic == generation.topic for view in await control.partitions()) >= partitions

        await growth.begin(partitions)
        if not await _within(_TAKEN_OVER_WITHIN_S, lambda: is_taken_over(growth.target(partitions))):
            _say("no processor has taken the new partitions over yet: events are applied once one has")
        generations = await growth.finish(partitions)
        _say(f"the log goes on in {generations[-1].topic}, with {partitions} partitions")
        return await _until_applied(generations[:-1], state)


async def _until_applied(closed: Sequence[Generation], state: PartitionStateStore) -> int:
    """Wait until closed topics are applied to their ends, for information only: it happens by itself."""

    async def are_applied() -> bool:
        return all([await _ended(each, state) == each.partitions for each in closed])

    if await _within(_APPLIED_WITHIN_S, are_applied):
        _say("everything before is applied")
        return 0
    for each in closed:
        _say(f"{each.topic}: {await _ended(each, state)} of {each.partitions} partitions are applied")
    return 1


async def _show(growth: LogGrowth, state: PartitionStateStore) -> None:
    for each in await growth.generations():
        if await growth.is_closed(each):
            applied = await _ended(each, state)
            _say(f"{each.topic}: {each.partitions} partitions, closed, {applied} of them applied to the end")
        else:
            _say(f"{each.topic}: {each.partitions} partitions, open")


async def _ended(generation: Generation, state: PartitionStateStore) -> int:
    names = [generation.name_of(number) for number in range(generation.partitions)]
    return len(await state.ended(names))


async def _within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> bool:
    """Return True as soon as a condition holds, False if it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110  # nothing tells when
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
