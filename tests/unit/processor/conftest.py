import pytest

from tests.unit.processor.rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()
