"""What every service needs, whatever it speaks: settings, logs, traces, clock, process, background tasks."""
