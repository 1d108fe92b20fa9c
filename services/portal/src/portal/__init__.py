"""Pages: tracking for everybody with a number, and a console for operators and clients."""
