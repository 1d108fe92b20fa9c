"""Figures of the pipeline over the last hour: from Prometheus, or sampled from the services themselves."""
