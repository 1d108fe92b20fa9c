"""Documents that operators read and write."""
