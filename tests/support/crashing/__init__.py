"""Test builds of the services: the real ones, with a crash injected into one step.

`processes.service_process` runs one: the service's own `main`, wired as for work. What differs stands in its
environment, and only these test builds read it:

- `STRIKE_AT`, `STRIKE_ON`, `STRIKE_BY`: at which point, on its how-manieth call, and with what (`Act`).
- `CLOCK_AHEAD_S`: how far its clock is ahead of the machine's.
- an event whose source is `BREAKING_SOURCE` breaks the processor's code, as a bug would.
"""
