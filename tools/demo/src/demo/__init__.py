"""The demo: a day of realistic traffic, sent through the public API and checked against its known answer."""
