"""Replay of dead letters."""

from domain.ports.dead_letters import Replayed
from domain.processing.dead_letter import RecordPosition
from messaging.dead_letters.replayer import KafkaDeadLetterReplayer
from tests.support.producing import producer_on
from tests.support.site import Site


async def replay(site: Site, place: RecordPosition) -> None:
    """Replay a dead letter as the user ana."""
    async with producer_on(site.kafka) as producer:
        [replayed] = await KafkaDeadLetterReplayer(site.kafka, producer).replay([place], by="ana")
        assert isinstance(replayed, Replayed)
