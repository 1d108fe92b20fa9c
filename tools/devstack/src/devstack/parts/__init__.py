"""The programs of the stack, one module each: what to run and with which configuration."""
