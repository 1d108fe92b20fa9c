"""Pages about shipments: the list, one shipment with all that is known of it, and what can be done to it."""
