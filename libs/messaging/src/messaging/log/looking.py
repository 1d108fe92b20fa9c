"""Looking which generations the log has."""

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from domain.errors import StoreUnavailable
from messaging.log.generations import Generation, generations_among
from messaging.settings import KafkaSettings


async def generations_of(settings: KafkaSettings) -> list[Generation]:
    """Return the generations of the log, over a connection of its own.

    Raises:
        StoreUnavailable: Kafka does not respond.
    """
    client = AIOKafkaClient(**settings.connection())
    try:
        await client.bootstrap()
        return generations_among((await client.fetch_all_metadata()).topics(), settings)
    except (KafkaError, OSError) as error:
        raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
    finally:
        await client.close()
