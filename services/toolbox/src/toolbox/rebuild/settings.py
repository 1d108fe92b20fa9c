"""Settings of a rebuild, under the same names as the processor's."""

from pydantic import BaseModel, ConfigDict

from messaging.settings import KafkaSettings
from processor.settings import LoopSettings
from storage.settings import MongoSettings


class Settings(BaseModel):
    """Settings tree; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    kafka: KafkaSettings
    mongo: MongoSettings
    loop: LoopSettings
