"""A real browser for tests of the pages, and what other people's checkers say of them."""
