"""`python -m processor.rewinding`: after a restore, the group reads on from where the restored fences stand.

A database from a backup is older than the offsets that the group has committed: what was applied between the
two is in the log and no longer in the database. Read again, it is applied again, for nothing remembers it.

Exit codes: 0 done; 1 refused; 2 no answer from MongoDB or Kafka.
"""

import asyncio
import sys

from domain.errors import TransientError
from httpkit.settings import load_settings
from messaging.group import Refused, rewind
from messaging.topics import Topics
from processor.rebuilding.settings import Settings
from storage.client import open_database
from storage.schema import PARTITION_FENCES


def main() -> int:
    """Read the environment, rewind, and say how far."""
    settings = load_settings(Settings)
    try:
        moved = asyncio.run(rewound(settings))
    except TransientError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except Refused as error:
        sys.stderr.write(f"refused: {error}\n")
        return 1
    for partition, (before, after) in sorted(moved.items()):
        sys.stdout.write(f"partition {partition}: from {before} back to {after}\n")
    sys.stdout.write(f"{sum(before - after for before, after in moved.values())} records are read again\n")
    return 0


async def rewound(settings: Settings) -> dict[int, tuple[int, int]]:
    """Move the group's offsets back to the fences, where they are ahead of them.

    Returns:
        Of each partition that was moved: its offset before and now.

    Raises:
        Refused: somebody is in the group.
        StoreUnavailable: MongoDB or Kafka did not answer.
    """
    topic = Topics(settings.kafka.topic_prefix).events
    async with open_database(settings.mongo) as database:
        fences = {
            int(fence["_id"].rpartition("/")[2]): fence["next_offset"]
            async for fence in database[PARTITION_FENCES].find({"_id": {"$regex": f"^{topic}/"}})
        }
    return await rewind(settings.kafka, settings.loop.group, topic, fences)


if __name__ == "__main__":
    sys.exit(main())
