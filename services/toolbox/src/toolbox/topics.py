"""`waybill-admin topics`: create missing topics.

Exit codes: 0 done; 1 Kafka does not respond, or a topic differs from its declaration.
"""

import asyncio
import os
import sys
from typing import Any

from aiokafka.errors import KafkaError

from messaging.settings import KafkaSettings
from messaging.topics import TopicsNotReady, ensure_topics


def main() -> int:
    """Create the topics; return the exit code."""
    directories = os.environ.get("SECRETS_DIR")
    files: dict[str, Any] = {"_secrets_dir": directories.split(os.pathsep) if directories else None}
    try:
        asyncio.run(ensure_topics(KafkaSettings(**files)))
    except (TopicsNotReady, KafkaError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
