"""The contenders: each does the job with the change feed and without, against the broker's own version."""

import re
from collections import Counter

from bench.contenders import CONTENDERS, JVM

from devstack.parts.kafka_jars import KAFKA_VERSION


def test_each_does_the_job_with_the_change_feed_and_without() -> None:
    assert set(Counter(each.library for each in CONTENDERS).values()) == {2}
    assert len({(each.library, each.publishes) for each in CONTENDERS}) == len(CONTENDERS)


def test_the_jvms_client_is_of_the_brokers_version() -> None:
    pom = (JVM / "pom.xml").read_text()
    assert re.findall(r"<artifactId>kafka-clients</artifactId>\s*<version>(.+)</version>", pom) == [
        KAFKA_VERSION
    ]
