"""Event streams (`text/event-stream`): the response, how many may be open, and the streams of shipments."""
