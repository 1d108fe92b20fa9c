"""In-memory adapters for the ports of `domain.ports.core`, held to the same contract as the real ones."""

from tests.support.fakes.access import (
    InMemoryApiKeyStore,
    InMemoryRevocationFeed,
    InMemoryRevocationStore,
)
from tests.support.fakes.actions import InMemoryActionLog
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.dead_letters import InMemoryDeadLetterIndex, InMemoryDeadLetterReplayer
from tests.support.fakes.faults import Faults
from tests.support.fakes.hints import InMemoryDuplicateFilter, InMemoryReplies, InMemoryReplyInbox
from tests.support.fakes.live import InMemoryStatusChanges, InMemoryStatusReader
from tests.support.fakes.log import InMemoryChangeFeed, InMemoryCommandLog
from tests.support.fakes.partitions import (
    InMemoryPartitionControl,
    InMemoryPartitionStateStore,
    InMemoryQuarantineStore,
)
from tests.support.fakes.public import InMemoryLinkStore, InMemoryPublicShipmentReader
from tests.support.fakes.readers import (
    InMemoryDeadLetterReader,
    InMemoryEventReader,
    InMemoryShipmentReader,
)
from tests.support.fakes.shipments import Documents, InMemoryShipmentStore
from tests.support.fakes.users import InMemoryUserStore

__all__ = [
    "Documents",
    "Faults",
    "FixedClock",
    "InMemoryActionLog",
    "InMemoryApiKeyStore",
    "InMemoryChangeFeed",
    "InMemoryCommandLog",
    "InMemoryDeadLetterIndex",
    "InMemoryDeadLetterReader",
    "InMemoryDeadLetterReplayer",
    "InMemoryDuplicateFilter",
    "InMemoryEventReader",
    "InMemoryLinkStore",
    "InMemoryPartitionControl",
    "InMemoryPartitionStateStore",
    "InMemoryPublicShipmentReader",
    "InMemoryQuarantineStore",
    "InMemoryReplies",
    "InMemoryReplyInbox",
    "InMemoryRevocationFeed",
    "InMemoryRevocationStore",
    "InMemoryShipmentReader",
    "InMemoryShipmentStore",
    "InMemoryStatusChanges",
    "InMemoryStatusReader",
    "InMemoryUserStore",
]
