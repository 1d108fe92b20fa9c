"""Basics of every service: settings, logs, traces, clock, process, background tasks."""
