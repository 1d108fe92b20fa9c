"""`waybill-admin topics`: create missing topics.

Exit codes: 0 done; 1 Kafka does not respond, or a topic differs from its declaration; 2 the environment is
wrong.
"""

import asyncio
import sys

from aiokafka.errors import KafkaError
from pydantic import BaseModel, ConfigDict

from messaging.settings import KafkaSettings
from messaging.topics import TopicsNotReady, ensure_topics
from servicekit.settings import load_settings


class Settings(BaseModel):
    """Settings of this command."""

    model_config = ConfigDict(frozen=True)

    kafka: KafkaSettings


def main() -> int:
    """Create the topics; return the exit code."""
    settings = load_settings(Settings)
    try:
        asyncio.run(ensure_topics(settings.kafka))
    except (TopicsNotReady, KafkaError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
