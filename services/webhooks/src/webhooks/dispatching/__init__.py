"""Dispatching: endpoints with due deliveries get a lane; pauses, replays and gauges beside."""
