"""The worker of a partition that has an owner: ownership, applying, dead-lettering, halting."""
