"""Pages for operators: the overview, partitions, dead letters, quarantine, and what operators did."""
