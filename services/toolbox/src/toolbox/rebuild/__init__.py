"""Rebuild of `shipments` from the audit log or from the topic, to compare or to replace it (ADR 0011)."""
