import pytest

from tests.unit.processor.harness import ProcessorHarness


@pytest.fixture
def harness() -> ProcessorHarness:
    return ProcessorHarness()
