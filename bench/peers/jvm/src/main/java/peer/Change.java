package peer;

/** An applied event, with what it made of its shipment. */
record Change(Event event, String clientId, String previousStatus, int version) {}
