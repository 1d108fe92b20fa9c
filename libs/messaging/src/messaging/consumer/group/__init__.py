"""A member of a consumer group: joining, fetching, committing, and releasing partitions."""
