"""Work beside the work; standard library only."""
