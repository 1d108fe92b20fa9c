"""Dead letters put back into the log."""

from domain.dead_letter_ports import Replayed
from domain.dead_letters import Place
from messaging.replaying import KafkaDeadLetterReplayer
from tests.support.producing import producer_on
from tests.support.site import Site


async def replay(site: Site, place: Place) -> None:
    """Put a dead letter back into the log, in the name of ana."""
    async with producer_on(site.kafka) as producer:
        [replayed] = await KafkaDeadLetterReplayer(site.kafka, producer).replay([place], by="ana")
        assert isinstance(replayed, Replayed)
