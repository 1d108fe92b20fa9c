"""Property-based tests on a busy machine: slowness alone is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile("waybill", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("waybill")
