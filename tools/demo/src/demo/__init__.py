"""The demo: a day of lifelike traffic, sent through the public API and checked against its known answer."""
