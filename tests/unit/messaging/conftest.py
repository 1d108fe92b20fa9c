"""Pauses of the worker, so short that a test does not notice them."""

import pytest

from messaging.consumer.worker import worker_states


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_states, "FIRST_PAUSE_S", 0.0001)
    monkeypatch.setattr(worker_states, "LONGEST_PAUSE_S", 0.001)
    monkeypatch.setattr(worker_states, "YIELD_OWNERSHIP_S", 0.001)
