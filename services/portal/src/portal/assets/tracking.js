// The tracking pages: what a browser adds to them.
