"""`shipments` once more, made of the audit log or of the topic, next to what is stored (ADR 0011)."""
