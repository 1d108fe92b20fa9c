"""Documents generated from the code: `make contract` writes them, tests compare them."""
