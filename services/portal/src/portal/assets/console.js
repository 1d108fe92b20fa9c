// The console: what a browser adds to it.
