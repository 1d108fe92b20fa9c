"""What operators do with a running Waybill, from the command line: over its HTTP API alone."""
