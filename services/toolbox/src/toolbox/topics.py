"""`waybill-admin topics`: create the topics that are missing.

Exit codes: 0 done; 1 no answer from Kafka, or a topic that is not as declared.
"""

import asyncio
import os
import sys
from typing import Any

from aiokafka.errors import KafkaError

from messaging.settings import KafkaSettings
from messaging.topics import TopicsNotReady, ensure_topics


def main() -> int:
    """Create the topics; the exit code."""
    directories = os.environ.get("SECRETS_DIR")
    files: dict[str, Any] = {"_secrets_dir": directories.split(os.pathsep) if directories else None}
    try:
        asyncio.run(ensure_topics(KafkaSettings(**files)))
    except (TopicsNotReady, KafkaError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
