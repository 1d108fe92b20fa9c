"""The machine under the stack: what it gives, how large the parts may be, and its Python."""
